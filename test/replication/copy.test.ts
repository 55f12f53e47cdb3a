import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withClient } from "../../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";
import { CopyBench } from "./copy-bench";

const EVERY_STEP = ["truncate", "drop indexes", "slot", "copy", "verify", "indexes", "analyze"];

describe("copying a database's rows", () => {
	let bench: CopyBench;
	beforeEach(async () => {
		bench = await CopyBench.make();
	});
	afterEach(() => bench.remove());

	it("brings values of every kind over unchanged", async () => {
		await bench.schema(`
			CREATE TYPE mood AS ENUM ('happy', 'sad');
			CREATE TYPE pair AS (left_side int, right_side text);
			CREATE DOMAIN percent AS numeric CHECK (VALUE BETWEEN 0 AND 100);
			CREATE TABLE built_in (
				id bigint PRIMARY KEY, b boolean, i2 smallint, r real, d double precision, n numeric, m money, c char(5),
				v varchar(9), t text, by bytea, ts timestamp, tz timestamptz, da date, ti time, tt timetz, iv interval,
				u uuid, j json, jb jsonb, x xml, ip inet, ci cidr, ma macaddr, bi bit(3), vb varbit, po point, ra int4range,
				mr nummultirange, tv tsvector, tq tsquery, jp jsonpath, ar int[][], ta text[], l pg_lsn, o oid, na name
			);
			CREATE TABLE own (id int PRIMARY KEY, m mood, ms mood[], p pair, d percent, ds percent[], c regclass, a aclitem);
			CREATE TABLE many_names ("Größe in ""cm""" int PRIMARY KEY, "select" text, "tab\there" text);
		`);
		await bench.inSource(`
			INSERT INTO built_in SELECT 1, true, -2, 'NaN', '-0', 'Infinity', 12.5, 'ab', 'ü', E'tab\\t line\\n back\\\\ \\\\. €',
				'\\x00ff0a5c', '0044-03-15 BC 12:00', '2024-02-29 23:59:59.999999+07', 'infinity', '24:00', '12:00+05:30',
				'-1 year 2 mons -3 days 04:05:06.7', gen_random_uuid(), '{"a":  1, "a": 2}', '{"z": null}', '<a>1</a><b/>',
				'::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', B'', '(1.5,-2)', '[1,5)', '{[1,2],(3,)}', 'a:1A b:2',
				'a & !b', '$.a[*] ? (@ > 1)', '{{1,NULL},{3,4}}', '{"a,b",NULL,"","NULL"}', '16/B374D848', 4294967295, 'n';
			INSERT INTO built_in SELECT generate_series(2, 500);
			INSERT INTO own VALUES (1, 'sad', '{happy,NULL}', '(1,"a b")', 12.5, '{1,2}', 'built_in', 'pg_monitor=r/postgres');
			INSERT INTO many_names VALUES (1, 'x', NULL)`);
		const report = await bench.copy();
		for (const table of ["built_in", "own", "many_names"]) {
			const [source, target] = await bench.both(`SELECT ${table}::text FROM ${table} ORDER BY 1`);
			assert.deepEqual(target, source);
		}
		assert.deepEqual({ tables: report.tables, rows: report.rows }, { tables: 3, rows: 502 });
		assert.deepEqual(bench.steps, EVERY_STEP);
	});

	it("copies every schema, and neither the deployment's own tables nor what is not stored for good", async () => {
		await bench.schema(`
			CREATE SCHEMA "Đếm"; CREATE SCHEMA deployment;
			CREATE TABLE "Đếm"."Camera ""A""" (id int PRIMARY KEY, "Tên" text);
			CREATE TABLE public.empty (id int PRIMARY KEY);
			CREATE TABLE public.no_columns ();
			CREATE TABLE public.only_generated (g int GENERATED ALWAYS AS (7) STORED);
			CREATE TABLE deployment.own (id int);
			CREATE UNLOGGED TABLE public.passing (id int)`);
		await bench.inSource(`
			INSERT INTO "Đếm"."Camera ""A""" VALUES (1, 'Một'), (2, NULL);
			INSERT INTO no_columns DEFAULT VALUES; INSERT INTO only_generated DEFAULT VALUES;
			INSERT INTO deployment.own VALUES (1); INSERT INTO passing VALUES (1)`);
		await bench.inTarget("INSERT INTO deployment.own VALUES (2); INSERT INTO empty VALUES (3)");
		assert.equal((await bench.copy()).rows, 4);
		assert.deepEqual(await bench.inTarget(`SELECT * FROM "Đếm"."Camera ""A""" ORDER BY id`), [
			{ id: 1, Tên: "Một" },
			{ id: 2, Tên: null },
		]);
		assert.deepEqual(await bench.inTarget("SELECT * FROM empty"), []);
		assert.deepEqual(await bench.inTarget("SELECT count(*)::integer FROM no_columns"), [{ count: 1 }]);
		assert.deepEqual(await bench.inTarget("SELECT * FROM only_generated"), [{ g: 7 }]);
		assert.deepEqual(await bench.inTarget("SELECT * FROM deployment.own"), [{ id: 2 }]);
		assert.deepEqual(await bench.inTarget("SELECT * FROM passing"), []);
	});

	it("keeps identity values, computes generated columns and fires no triggers", async () => {
		await bench.schema(`
			CREATE TABLE parent (id int PRIMARY KEY);
			CREATE TABLE child (
				id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, dropped int, parent_id int REFERENCES parent,
				double int GENERATED ALWAYS AS (parent_id * 2) STORED, seen int GENERATED ALWAYS AS (parent_id + 1) VIRTUAL
			);
			ALTER TABLE child DROP dropped;
			CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fired'; END $$`);
		await bench.inSource(
			"INSERT INTO parent VALUES (1); INSERT INTO child OVERRIDING SYSTEM VALUE VALUES (41, 1), (7, 1)",
		);
		await bench.inTarget(`
			CREATE TRIGGER refuse BEFORE INSERT OR TRUNCATE ON child EXECUTE FUNCTION refuse();
			INSERT INTO parent VALUES (99)`);
		await bench.copy();
		assert.deepEqual(await bench.inTarget("SELECT * FROM child ORDER BY id"), [
			{ id: 7, parent_id: 1, double: 2, seen: 2 },
			{ id: 41, parent_id: 1, double: 2, seen: 2 },
		]);
		assert.deepEqual(await bench.inTarget("SELECT * FROM parent"), [{ id: 1 }]);
	});

	it("copies partitions one by one, and rows without a key", async () => {
		await bench.schema(`
			CREATE TABLE reading (at date, value int) PARTITION BY RANGE (at);
			CREATE TABLE reading_old PARTITION OF reading FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
			CREATE TABLE reading_new PARTITION OF reading FOR VALUES FROM ('2024-01-01') TO (MAXVALUE)
				PARTITION BY HASH (value);
			CREATE TABLE reading_new_0 PARTITION OF reading_new FOR VALUES WITH (MODULUS 2, REMAINDER 0);
			CREATE TABLE reading_new_1 PARTITION OF reading_new FOR VALUES WITH (MODULUS 2, REMAINDER 1);
			CREATE TABLE base (id int); CREATE TABLE derived (extra text) INHERITS (base)`);
		await bench.inSource(`
			INSERT INTO reading SELECT date '2023-06-01' + i, i % 7 FROM generate_series(1, 400) AS i;
			INSERT INTO reading SELECT * FROM reading;
			INSERT INTO base VALUES (1); INSERT INTO derived VALUES (1, 'x'), (1, 'x')`);
		const report = await bench.copy();
		assert.deepEqual({ tables: report.tables, rows: report.rows }, { tables: 3, rows: 803 });
		const [source, target] = await bench.both(
			"SELECT tableoid::regclass::text, at::text, value, count(*) FROM reading GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
		);
		assert.deepEqual(target, source);
		assert.deepEqual(await bench.inTarget("SELECT * FROM ONLY base"), [{ id: 1 }]);
	});

	it("divides a large table between workers", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY, filler text)");
		await bench.inSource(`
			ALTER TABLE t ALTER filler SET STORAGE PLAIN;
			INSERT INTO t SELECT i, repeat('x', 7000) FROM generate_series(1, 10000) AS i;
			DELETE FROM t WHERE id % 7 = 0`);
		const workers = new Set<string>();
		const report = await bench.copy({
			step: async (name) => {
				if (name !== "verify") return;
				const rows = await bench.inSource<{ query: string }>(
					`SELECT query FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY (%'`,
				);
				for (const { query } of rows) workers.add(query);
			},
		});
		assert.equal(report.rows, 8_572);
		assert.equal(workers.size, 3);
		const [source, target] = await bench.both("SELECT count(*), sum(hashtext(t::text)) FROM t");
		assert.deepEqual(target, source);
	});

	it("shows rows as of the moment from which on the slot keeps changes", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY, filler text)");
		await bench.inSource("INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 20000) AS i");
		let writing = true;
		let written = 20_000;
		const writer = bench.withSource(async (client) => {
			for (; writing; ) await client.query("INSERT INTO t VALUES ($1)", [++written]);
		});
		try {
			await bench.copy();
		} finally {
			writing = false;
			await writer;
		}
		const changes = await bench.inSource<{ data: Buffer }>(
			`SELECT data FROM pg_logical_slot_peek_binary_changes('copying_1_to_2', NULL, NULL,
				'proto_version', '1', 'publication_names', 'copying_1_to_2')`,
		);
		const waiting = changes.filter(({ data }) => data.subarray(0, 1).toString() === "I").length;
		const [copied] = await bench.inTarget<{ count: number; max: number }>(
			"SELECT count(*)::integer, max(id) FROM t",
		);
		assert(waiting > 0);
		assert.equal(copied!.count, copied!.max, "a prefix of what was written");
		assert.equal(copied!.count + waiting, written);
	});

	it("leaves one slot and no session behind", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY)");
		await bench.copy();
		await bench.copy();
		assert.deepEqual(await bench.slots(), ["copying_1_to_2"]);
		assert.equal(await bench.sessions(), 0);
		const [slot] = await bench.inSource(
			"SELECT plugin, two_phase, temporary, active FROM pg_replication_slots",
		);
		assert.deepEqual(slot, { plugin: "pgoutput", two_phase: false, temporary: false, active: false });
	});

	it("copies to another server", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX i ON t (v)");
		await bench.inSource("INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 1000) AS i");
		const directory = mkdtempSync(join(tmpdir(), "counting-test-"));
		chmodSync(directory, 0o755);
		try {
			const password = randomBytes(12).toString("hex");
			const { port } = await ensureServer({ directory, password, maxConnections: 20, timeoutSeconds: 60 });
			const admin = superuserConnection(port, password);
			await withClient(admin, { applicationName: "test" }, async (client) => {
				await client.query("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX i ON t (v)");
				const report = await bench.copy({ target: { ...bench.target, admin }, verification: "counts" });
				assert.equal(report.rows, 1000);
				const { rows } = await client.query(
					"SELECT count(*)::integer, min(v), to_regclass('i')::text AS i FROM t",
				);
				assert.deepEqual(rows, [{ count: 1000, min: "v1", i: "i" }]);
			});
		} finally {
			await removeServer(directory, 30);
		}
	});

	it("tells how far it is", async () => {
		await bench.schema("CREATE TABLE t (id int PRIMARY KEY)");
		await bench.inSource("INSERT INTO t SELECT generate_series(1, 10)");
		await bench.inTarget(`
			CREATE FUNCTION hold_up() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2.5); RETURN true; END $$;
			ALTER TABLE t ADD CHECK (id <> 10 OR hold_up())`);
		await bench.copy();
		assert.equal(bench.lines.length, 1);
		assert.match(bench.lines[0]!, /^copied 0 of 1 tables, 0 rows, 0\.0 MB, 0\.0 MB\/s$/);
	});
});
