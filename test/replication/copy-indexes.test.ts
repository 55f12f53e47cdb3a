import assert from "node:assert/strict";
import { putIndexesBack } from "../../components/replication/deferred-indexes";
import { CopyBench } from "./copy-bench";

const INDEXES = `
	SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition, indisvalid AS valid,
		(SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = indexrelid) AS parent,
		pg_get_constraintdef(own.oid) AS "constraint", conislocal, coninhcount, conparentid = 0 AS alone,
		pg_get_userbyid(relowner) = pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = indrelid)) AS "ownersOwn"
	FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
	LEFT JOIN pg_constraint AS own ON conindid = indexrelid AND contype IN ('p', 'u', 'x')
	WHERE relnamespace = 'public'::regnamespace ORDER BY 1`;

describe("the indexes of a copied database", () => {
	let bench: CopyBench;
	beforeEach(async () => {
		bench = await CopyBench.make();
	});
	afterEach(() => bench.remove());

	async function names(): Promise<string[]> {
		return (await bench.inTarget<{ name: string }>(INDEXES)).map(({ name }) => name);
	}

	/** The target's indexes while rows are copied; before and after, all are there. */
	async function duringCopy(): Promise<string[]> {
		return duringCopyFrom(await bench.inTarget(INDEXES));
	}

	async function duringCopyFrom(before: unknown[]): Promise<string[]> {
		let during: string[] = [];
		await bench.copy({
			step: async (name) => {
				if (name === "copy") during = await names();
			},
		});
		assert.deepEqual(await bench.inTarget(INDEXES), before);
		return during;
	}

	it("are away while rows come in, and built afterwards as they were", async () => {
		await bench.schema(`
			CREATE TABLE "T" (id int, "A" text, at timestamptz, tags text[], other int UNIQUE NULLS NOT DISTINCT,
				CONSTRAINT "Khóa" PRIMARY KEY (id) INCLUDE (tags) WITH (fillfactor = 80));
			CREATE INDEX plain ON "T" ("A" DESC NULLS LAST, at) INCLUDE (tags);
			CREATE UNIQUE INDEX "Único" ON "T" (lower("A") COLLATE "C") NULLS NOT DISTINCT WHERE at > '2024-01-01';
			CREATE INDEX tags ON "T" USING gin (tags) WITH (fastupdate = off)`);
		await bench.inSource(
			`INSERT INTO "T" SELECT i, 'a' || i, now(), '{x}', i FROM generate_series(1, 100) AS i`,
		);
		assert.deepEqual(await duringCopy(), []);
	});

	it("stay where something needs them or their definition does not say everything", async () => {
		await bench.schema(`
			CREATE EXTENSION citext;
			CREATE TABLE t (id int PRIMARY KEY, a int UNIQUE NOT NULL, b int NOT NULL, c int NOT NULL, d int, r int4range,
				CONSTRAINT apart EXCLUDE USING gist (r WITH &&), CONSTRAINT late UNIQUE (d) DEFERRABLE INITIALLY DEFERRED,
				CONSTRAINT described UNIQUE (b, c));
			COMMENT ON CONSTRAINT described ON t IS 'why';
			CREATE UNIQUE INDEX identity ON t (b); ALTER TABLE t REPLICA IDENTITY USING INDEX identity;
			CREATE UNIQUE INDEX referred ON t (c); CREATE TABLE child (c int REFERENCES t (c), a int);
			CREATE TABLE parent (id int PRIMARY KEY, upper int REFERENCES parent); CREATE TABLE grouped (id int PRIMARY KEY, v int);
			CREATE VIEW by_key AS SELECT id, v FROM grouped GROUP BY id;
			CREATE INDEX commented ON t (d); COMMENT ON INDEX commented IS 'why';
			CREATE INDEX clustered ON t (d); ALTER TABLE t CLUSTER ON clustered;
			CREATE INDEX measured ON t ((d + 1)); ALTER INDEX measured ALTER 1 SET STATISTICS 500;
			CREATE INDEX extended ON t (d); ALTER INDEX extended DEPENDS ON EXTENSION citext;
			CREATE INDEX plain ON t (d)`);
		const all = await names();
		assert.deepEqual(
			await duringCopy(),
			all.filter((name) => !["plain", "t_pkey", "t_a_key"].includes(name)),
		);
	});

	it("are built for each partition and joined", async () => {
		await bench.schema(`
			CREATE TABLE p (id int, at date, v int, PRIMARY KEY (id, at, v)) PARTITION BY RANGE (at);
			CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
			CREATE TABLE p_2 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO (MAXVALUE) PARTITION BY LIST (v);
			CREATE TABLE p_2_any PARTITION OF p_2 DEFAULT;
			CREATE INDEX by_value ON p (v);
			CREATE INDEX only_here ON p_1 (id DESC);
			CREATE INDEX partly ON p (v DESC); COMMENT ON INDEX p_1_v_idx1 IS 'why'`);
		await bench.inSource("INSERT INTO p SELECT i, date '2023-12-01' + i, i FROM generate_series(1, 60) AS i");
		assert.deepEqual(await duringCopy(), ["p_1_v_idx1", "p_2_any_v_idx1", "p_2_v_idx1", "partly"]);
	});

	it("are built though only the target has them", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY, v int)");
		await bench.inTarget("CREATE INDEX own ON t (v)");
		assert.deepEqual(await duringCopy(), []);
	});

	it("can be put back after a copy that failed, wherever it did", async () => {
		await bench.schema(`
			CREATE TABLE t (id int PRIMARY KEY, v int); CREATE INDEX i ON t (v);
			CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
			CREATE TABLE p_1 PARTITION OF p DEFAULT; CREATE INDEX j ON p (v)`);
		await bench.inSource("INSERT INTO t SELECT i, i FROM generate_series(1, 10) AS i");
		const before = await bench.inTarget(INDEXES);
		assert.equal(await putIndexesBack(bench.target, 10_000), false);
		for (const failAt of ["copy", "indexes", "analyze"]) {
			const step = (name: string) =>
				name === failAt ? Promise.reject(new Error("stop")) : Promise.resolve();
			await assert.rejects(bench.copy({ step }), /stop$/);
			assert.equal(await putIndexesBack(bench.target, 10_000), failAt !== "analyze");
			assert.deepEqual(await bench.inTarget(INDEXES), before);
		}
		await assert.rejects(
			bench.copy({
				step: (name) => (name === "indexes" ? Promise.reject(new Error("stop")) : Promise.resolve()),
			}),
		);
		// As one that was killed when it had built some.
		await bench.inTarget("CREATE INDEX i ON t (v)");
		await bench.inTarget("CREATE UNIQUE INDEX t_pkey ON t (id)");
		assert.deepEqual(await duringCopyFrom(before), []);
	});

	it("leave statistics for the planner", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY)");
		await bench.inSource("INSERT INTO t SELECT generate_series(1, 1000)");
		await bench.copy();
		assert.deepEqual(
			await bench.inTarget("SELECT reltuples FROM pg_class WHERE oid IN ('t'::regclass, 't_pkey'::regclass)"),
			[{ reltuples: 1000 }, { reltuples: 1000 }],
		);
	});
});
