import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Migration } from "../../components/migrations/migration";
import { restoreBackup } from "../../components/migrations/restore";
import { migrate } from "../../components/migrations/run";
import { appliedVersions, type Bench, catalogSteps, file, openBench } from "./support";

const ROWS = `SELECT id, name, 'a' || chr(9) || chr(10) || chr(13) || '\\\\.' || chr(8232) || '🚗' || id AS note,
	jsonb_build_object('id', id) AS data, NULL::int AS nothing, repeat('x', 100) AS filler
	FROM (SELECT id, 'camera ' || id AS name FROM generate_series(1, 5000) AS id)`;

describe("undoing a migration", () => {
	let bench: Bench;

	beforeEach(async () => {
		bench = await openBench();
	});

	afterEach(() => bench.close());

	/** Applies `up`, changes the data, undoes it, applies it again and puts the saved rows back. */
	async function thereAndBack(
		{ base = "SELECT 1", up, down }: { base?: string; up: string; down: string },
		{ fill, look }: { fill: string; look: string },
	) {
		bench.write("1.0.0_base.sql", file(base, "SELECT 1"));
		const wanted = bench.write("1.1.0_change.sql", file(up, down));
		await migrate(bench.options(wanted));
		await bench.inTarget(fill);
		const before = await bench.inTarget(look);
		const report = await migrate(bench.options(wanted.slice(0, 1)));
		assert.deepEqual(report.undone, ["1.1.0"]);
		await migrate(bench.options(wanted));
		assert.notDeepEqual(await bench.inTarget(look), before, "nothing was lost");
		for (const { file: saved } of report.backups) await restoreBackup(bench.target.owner, saved, 20_000);
		assert.deepEqual(await bench.inTarget(look), before);
		return report;
	}

	it("saves every row of a dropped table, and they can be put back", async () => {
		const { backups } = await thereAndBack(
			{
				up: `CREATE TABLE "Đếm" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, note text, data jsonb,
					nothing int, filler text, doubled int GENERATED ALWAYS AS (id * 2) STORED)`,
				down: 'DROP TABLE "Đếm"',
			},
			{
				fill: `INSERT INTO "Đếm" (id, name, note, data, nothing, filler) OVERRIDING SYSTEM VALUE ${ROWS}`,
				look: 'SELECT * FROM "Đếm" ORDER BY id',
			},
		);
		assert.deepEqual(
			backups.map(({ version, table, rows }) => [version, table, rows]),
			[["1.1.0", 'public."Đếm"', 5000]],
		);
		const { file: saved } = backups[0]!;
		assert.match(saved, /\/backups\/[0-9-]+T[0-9.]+Z-1\.1\.0-public\.Đếm\.sql$/);
		assert.equal(statSync(saved).mode & 0o777, 0o600);
		assert.equal(statSync(bench.backupDirectory).mode & 0o777, 0o700);
		assert(!readFileSync(saved, "utf8").includes(bench.target.owner.password));
		assert(bench.lines.some((line) => line.endsWith(`5000 rows of public."Đếm" saved in ${saved}`)));
		const [next] = await bench.inTarget<{ id: number }>('INSERT INTO "Đếm" (name) VALUES (1) RETURNING id');
		assert.equal(next?.id, 5001);
	});

	it("saves the values of a dropped column by primary key", async () => {
		const { backups } = await thereAndBack(
			{
				base: 'CREATE TABLE t (a int, "B" text, PRIMARY KEY (a, "B"), kept text)',
				up: `ALTER TABLE t ADD COLUMN "new one" jsonb DEFAULT '{}', ADD COLUMN other int`,
				down: 'ALTER TABLE t DROP COLUMN "new one", DROP COLUMN IF EXISTS other',
			},
			{
				fill: `INSERT INTO t VALUES (1, 'x', 'k', '{"a": 1}', 5), (1, 'y', 'k', NULL, NULL)`,
				look: "SELECT * FROM t ORDER BY 1, 2",
			},
		);
		assert.match(
			readFileSync(backups[0]!.file, "utf8"),
			/COPY pg_temp\.saved \(a, "B", "new one", other\) FROM stdin;/,
		);
	});

	it("saves a column whose type is changed", async () => {
		await thereAndBack(
			{
				base: "CREATE TABLE t (id int PRIMARY KEY, amount int)",
				up: "ALTER TABLE t ALTER amount TYPE numeric",
				down: "ALTER TABLE t ALTER amount TYPE int",
			},
			{ fill: "INSERT INTO t VALUES (1, 1.25)", look: "SELECT * FROM t" },
		);
	});

	it("saves rows that are deleted, with those that refer to them", async () => {
		const { backups } = await thereAndBack(
			{
				base: `CREATE TABLE parent (id int PRIMARY KEY, name text);
					CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE);
					CREATE TABLE friend (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE SET NULL)`,
				up: "INSERT INTO parent VALUES (1, 'new')",
				down: "WITH gone AS (DELETE FROM parent WHERE id = 1 RETURNING *) SELECT count(*) FROM gone",
			},
			{
				fill: `INSERT INTO parent VALUES (2, 'old'); INSERT INTO child VALUES (1, 1), (2, 2);
					INSERT INTO friend VALUES (1, 1), (2, 2); UPDATE parent SET name = 'changed' WHERE id = 1`,
				look: `SELECT * FROM parent FULL JOIN child ON child.parent_id = parent.id
					FULL JOIN friend ON friend.parent_id = parent.id ORDER BY 1`,
			},
		);
		assert.deepEqual(
			backups.map(({ table }) => table),
			["public.parent", "public.child", "public.friend"],
		);
	});

	it("saves rows that are truncated or overwritten", async () => {
		await thereAndBack(
			{
				base: "CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY, v int)",
				up: "SELECT 1",
				down: "TRUNCATE t; UPDATE u SET v = 0",
			},
			{
				fill: "INSERT INTO t VALUES (1, 2); INSERT INTO u VALUES (1, 2), (2, 3)",
				look: "SELECT * FROM u FULL JOIN t USING (id) ORDER BY id",
			},
		);
	});

	it("saves all tables of a dropped schema, partitioned ones too", async () => {
		const { backups } = await thereAndBack(
			{
				up: `CREATE SCHEMA s; CREATE TABLE s.a (id int PRIMARY KEY);
					CREATE TABLE s.p (id int PRIMARY KEY) PARTITION BY RANGE (id);
					CREATE TABLE s.p1 PARTITION OF s.p FOR VALUES FROM (0) TO (10)`,
				down: "DROP SCHEMA s CASCADE",
			},
			{
				fill: "INSERT INTO s.a VALUES (1); INSERT INTO s.p VALUES (2)",
				look: "SELECT id FROM s.a UNION ALL SELECT id FROM s.p ORDER BY 1",
			},
		);
		assert.deepEqual(
			backups.map(({ table, rows }) => [table, rows]),
			[
				["s.a", 1],
				["s.p", 1],
			],
		);
	});

	it("puts rows beside a table without a primary key, since it cannot tell them apart", async () => {
		bench.write("1.0.0_base.sql", file("CREATE TABLE t (v int); INSERT INTO t VALUES (1), (1)", "SELECT 1"));
		const wanted = bench.write("1.1.0_more.sql", file("SELECT 1", "DELETE FROM t"));
		await migrate(bench.options(wanted));
		const { backups } = await migrate(bench.options(wanted.slice(0, 1)));
		await restoreBackup(bench.target.owner, backups[0]!.file, 20_000);
		assert.deepEqual(await bench.inTarget("SELECT v FROM t_saved"), [{ v: 1 }, { v: 1 }]);
	});

	it("needs no file for empty tables, views, indexes, and what is not there", async () => {
		const up = "CREATE TABLE t (id int); CREATE INDEX i ON t (id); CREATE VIEW v AS SELECT * FROM t";
		const wanted = bench.write(
			"1.0.0_a.sql",
			file(up, "DROP VIEW v; DROP INDEX i; DROP TABLE t; DROP TABLE IF EXISTS never"),
		);
		await migrate(bench.options(wanted));
		assert.deepEqual((await migrate(bench.options([]))).backups, []);
		assert.throws(() => readdirSync(bench.backupDirectory), /ENOENT/);
	});

	it("says when it cannot know which rows will go", async () => {
		const wanted = bench.write(
			"1.0.0_a.sql",
			file("SELECT 1", "DO $$ BEGIN DELETE FROM pg_temp.x; EXCEPTION WHEN OTHERS THEN END $$"),
		);
		await migrate(bench.options(wanted));
		await migrate(bench.options([]));
		assert(bench.lines.includes("undoing 1.0.0 a runs a DO block: rows that it destroys are not saved"));
	});

	it("loses no row that is written while it saves", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("CREATE TABLE t (id serial PRIMARY KEY)", "DROP TABLE t"));
		await migrate(bench.options(wanted));
		let written = 0;
		const writer = bench.withTarget(async (client) => {
			for (;;) {
				try {
					await client.query("INSERT INTO t DEFAULT VALUES");
					written++;
				} catch {
					return;
				}
			}
		});
		while (written < 100) await sleep(5);
		const { backups } = await migrate(bench.options([]));
		await writer;
		assert.equal(backups[0]?.rows, written);
	});

	it("keeps the rows and no file when the down section fails", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("CREATE TABLE t (id int)", "DROP TABLE t; SELECT 1/0"));
		await migrate(bench.options(wanted));
		await bench.inTarget("INSERT INTO t VALUES (1)");
		await assert.rejects(
			migrate(bench.options([])),
			/undoing migration 1\.0\.0 a failed at line 1 .*division by zero/s,
		);
		assert.deepEqual(await bench.inTarget("SELECT * FROM t"), [{ id: 1 }]);
		assert.deepEqual(readdirSync(bench.backupDirectory), []);
		assert.deepEqual(await appliedVersions(bench), ["1.0.0"]);
		assert.deepEqual((await catalogSteps(bench, "1.0.0")).slice(-2), ["rollback_start", "rollback_failed"]);
	});

	it("drops nothing when the rows cannot be saved", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("CREATE TABLE t (id int)", "DROP TABLE t"));
		await migrate(bench.options(wanted));
		await bench.inTarget("INSERT INTO t VALUES (1)");
		writeFileSync(bench.backupDirectory, "a file where the directory should be");
		await assert.rejects(migrate(bench.options([])), /undoing migration 1\.0\.0 a failed: EEXIST/);
		assert.deepEqual(await bench.inTarget("SELECT * FROM t"), [{ id: 1 }]);
	});

	it("runs from the stored SQL when the file is gone", async () => {
		const [first]: Migration[] = bench.write("1.0.0_a.sql", file("CREATE TABLE t (id int)", "DROP TABLE t"));
		await migrate(bench.options([first!]));
		bench.write("1.0.0_a.sql", file("CREATE TABLE other (id int)", "DROP TABLE other"));
		assert.deepEqual((await migrate(bench.options([]))).undone, ["1.0.0"]);
		assert.deepEqual(await bench.inTarget("SELECT to_regclass('t') AS t"), [{ t: null }]);
	});

	it("refuses to put back a file that is cut short or not one of its own", async () => {
		const wanted = bench.write("1.0.0_a.sql", file("CREATE TABLE t (id int)", "DROP TABLE t"));
		await migrate(bench.options(wanted));
		await bench.inTarget("INSERT INTO t SELECT generate_series(1, 1000)");
		const { backups } = await migrate(bench.options([]));
		await migrate(bench.options(wanted));
		const { file: saved } = backups[0]!;
		const { size } = statSync(saved);
		truncateSync(saved, size - 20);
		await assert.rejects(restoreBackup(bench.target.owner, saved, 20_000), /is not a whole backup of rows/);
		appendFileSync(saved, "COMMIT;\n");
		assert.deepEqual(await bench.inTarget("SELECT count(*)::integer FROM t"), [{ count: 0 }]);
	});
});
