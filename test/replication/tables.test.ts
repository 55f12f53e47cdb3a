import assert from "node:assert/strict";
import type { Client } from "pg";
import { connect } from "../../components/database/connection";
import { replicatedTables, shownName } from "../../components/replication/tables";
import { type TestDatabase, testDatabase } from "../support/postgres";

describe("the tables that are replicated", () => {
	let database: TestDatabase;
	let client: Client;

	beforeEach(async () => {
		database = await testDatabase();
		client = await connect(database.superuser, { applicationName: "test" });
	});

	afterEach(async () => {
		await client.end();
		await database.drop();
	});

	async function tables(sql: string) {
		await client.query(sql);
		return replicatedTables(client);
	}

	it("are those of the application in all its schemas, by schema and name, quoted", async () => {
		const found = await tables(`
			CREATE SCHEMA "Zürich ""1""";
			CREATE SCHEMA deployment;
			CREATE TABLE b (id integer PRIMARY KEY);
			CREATE TABLE "A b" (id integer PRIMARY KEY);
			CREATE TABLE "Zürich ""1"""."größe.x" (id integer PRIMARY KEY);
			CREATE TABLE deployment.own (id integer PRIMARY KEY);
			CREATE UNLOGGED TABLE cache (id integer PRIMARY KEY);
			CREATE TEMPORARY TABLE scratch (id integer PRIMARY KEY);
			CREATE VIEW v AS SELECT * FROM b;
			CREATE EXTENSION postgres_fdw;
			CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
			CREATE FOREIGN TABLE far (id integer) SERVER other;
			CREATE TABLE of_extension (id integer PRIMARY KEY);
			ALTER EXTENSION postgres_fdw ADD TABLE of_extension;`);
		assert.deepEqual(
			found.map(({ schema, name, sql }) => ({ schema, name, sql })),
			[
				{ schema: 'Zürich "1"', name: "größe.x", sql: '"Zürich ""1"""."größe.x"' },
				{ schema: "public", name: "A b", sql: '"public"."A b"' },
				{ schema: "public", name: "b", sql: '"public"."b"' },
			],
		);
		assert.deepEqual(found.map(shownName), ['"Zürich ""1"""."größe.x"', 'public."A b"', "public.b"]);
	});

	it("have their columns with type, where it comes from, and whether they are computed or may be NULL", async () => {
		const [table] = await tables(`
			CREATE TYPE mood AS ENUM ('sad', 'glad');
			CREATE DOMAIN positive AS integer CHECK (value > 0);
			CREATE TABLE t (
				"Id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
				gone integer,
				name character varying(20) CHECK (name IS NOT NULL),
				half text CHECK (half IS NOT NULL) NOT ENFORCED,
				either text,
				tags numeric(4, 1)[],
				mood mood,
				moods mood[],
				positive positive,
				stored bigint GENERATED ALWAYS AS ("Id" * 2) STORED,
				virtual bigint GENERATED ALWAYS AS ("Id" * 3) VIRTUAL,
				CHECK (either IS NOT NULL OR half IS NOT NULL)
			);
			ALTER TABLE t DROP COLUMN gone;`);
		const column = (name: string, type: string, more = {}) => ({
			name,
			type,
			builtIn: true,
			generated: false,
			nullable: true,
			...more,
		});
		assert.deepEqual(table?.columns, [
			column("Id", "bigint", { nullable: false }),
			column("name", "character varying(20)", { nullable: false }),
			column("half", "text"),
			column("either", "text"),
			column("tags", "numeric(4,1)[]"),
			column("mood", "mood", { builtIn: false }),
			column("moods", "mood[]", { builtIn: false }),
			column("positive", "positive", { builtIn: false }),
			column("stored", "bigint", { generated: true }),
			column("virtual", "bigint", { generated: true }),
		]);
	});

	it("find their rows by a key that replication can use, or by all columns", async () => {
		const found = await tables(`
			CREATE TABLE a_key (id integer CONSTRAINT "my key" PRIMARY KEY);
			CREATE TABLE b_index (id integer NOT NULL, other integer PRIMARY KEY);
			CREATE UNIQUE INDEX b_unique ON b_index (id);
			ALTER TABLE b_index REPLICA IDENTITY USING INDEX b_unique;
			CREATE TABLE c_full (id integer PRIMARY KEY);
			ALTER TABLE c_full REPLICA IDENTITY FULL;
			CREATE TABLE d_none (id integer UNIQUE);
			CREATE TABLE e_deferrable (id integer PRIMARY KEY DEFERRABLE);
			CREATE TABLE f_empty ();
			CREATE TABLE g_partitioned (id integer PRIMARY KEY) PARTITION BY RANGE (id);`);
		assert.deepEqual(
			found.map(({ name, identity, keyIndex }) => [name, identity, keyIndex]),
			[
				["a_key", "key", "my key"],
				["b_index", "key", "b_unique"],
				["c_full", "full", undefined],
				["d_none", "full", undefined],
				["e_deferrable", "full", undefined],
				["f_empty", "full", undefined],
				["g_partitioned", "key", "g_partitioned_pkey"],
			],
		);
	});

	it("hold rows in themselves, or in the partitions at the end of the tree", async () => {
		const found = await tables(`
			CREATE TABLE events (id integer, at date) PARTITION BY RANGE (at);
			CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
				PARTITION BY LIST (id);
			CREATE TABLE "events 2025/1" PARTITION OF events_2025 FOR VALUES IN (1);
			CREATE TABLE events_2025_rest PARTITION OF events_2025 DEFAULT;
			CREATE TABLE events_rest PARTITION OF events DEFAULT;
			CREATE TABLE parent (id integer);
			CREATE TABLE child (more text) INHERITS (parent);
			INSERT INTO child SELECT n, repeat('x', 100) FROM generate_series(1, 1000) AS n;
			INSERT INTO events SELECT 1, '2025-05-05' FROM generate_series(1, 500);
			ANALYZE child;`);
		assert.deepEqual(
			found.map(({ name, partitioned, leaves }) => [name, partitioned, leaves.map(({ sql }) => sql)]),
			[
				["child", false, ['"public"."child"']],
				[
					"events",
					true,
					['"public"."events 2025/1"', '"public"."events_2025_rest"', '"public"."events_rest"'],
				],
				["parent", false, ['"public"."parent"']],
			],
		);
		const [child, events, parent] = found.map(({ leaves }) => leaves[0]);
		assert.equal(child!.estimatedRows, 1000);
		assert.equal(child!.pages, 18);
		assert.ok(child!.bytes >= 18 * 8192, `${child!.bytes} bytes`);
		assert.equal(events!.pages, 3);
		assert.deepEqual({ pages: parent!.pages, rows: parent!.estimatedRows }, { pages: 0, rows: 0 });
	});
});
