import assert from "node:assert/strict";
import { type Client, escapeIdentifier } from "pg";
import { connect } from "../../components/database/connection";
import { describeFindings } from "../../components/replication/finding";
import { type PreflightOptions, preflight } from "../../components/replication/preflight";
import { serverCapacity } from "../../components/replication/server-capacity";
import { type TestDatabase, testDatabase } from "../support/postgres";

const GIVE_KEY = "give it a primary key in a release before";

describe("the preflight of a copy", () => {
	let databases: TestDatabase[];
	let source: Client;
	let target: Client;

	beforeEach(async () => {
		databases = await Promise.all([testDatabase(), testDatabase()]);
		[source, target] = (await Promise.all(
			databases.map(({ superuser }) => connect(superuser, { applicationName: "test" })),
		)) as [Client, Client];
	});

	afterEach(async () => {
		await Promise.all([source.end(), target.end()]);
		await Promise.all(databases.map((database) => database.drop()));
	});

	/** Tables of the database's owner, as those of the application are. */
	async function asOwner(client: Client, sql: string): Promise<void> {
		const role = databases[client === source ? 0 : 1]!.owner.user;
		await client.query(`BEGIN; SET LOCAL ROLE ${escapeIdentifier(role)}; ${sql}; COMMIT`);
	}

	async function findings(changed: Partial<PreflightOptions> = {}): Promise<string[]> {
		const found = await preflight({ source, target, sections: [], copying: true, ...changed });
		return describeFindings(found).split("\n").filter(Boolean);
	}

	it("has nothing to say of a database with ordinary tables", async () => {
		await asOwner(
			source,
			`CREATE TABLE cameras (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, twice integer GENERATED ALWAYS AS (id * 2) STORED);
			CREATE TABLE counts (id bigserial PRIMARY KEY, camera integer NOT NULL REFERENCES cameras, raw json);
			CREATE TABLE events (id integer, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
			CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
			CREATE VIEW latest AS SELECT max(id) FROM counts;
			INSERT INTO events VALUES (1, '2026-01-01')`,
		);
		assert.deepEqual(await findings(), []);
		assert.equal((await serverCapacity(source)).keptWalBytes, 16 * 2 ** 30);
	});

	it("tells all at once, errors first, and what migrations would do as well", async () => {
		await asOwner(source, "CREATE TABLE visits (a text); CREATE TABLE cameras (id integer PRIMARY KEY)");
		const section = { sql: "DROP TABLE cameras", transaction: true, line: 7 };
		const lines = await findings({
			sections: [{ title: "migration 1.1.0 x", path: "x.sql", section }],
			freeBytes: { source: 1e12, target: 1000 },
		});
		assert.deepEqual(
			lines.map((line) => line.replace(/takes [\d.]+ MB/, "takes 1 MB").split(";")[0]),
			[
				"error: the live database takes 1 MB, but the idle colour's server has only 0.0 MB free for its copy",
				"error: migration 1.1.0 x, x.sql:7: drops public.cameras, which the live release writes",
				"note: table public.visits has no primary key that replication could use: REPLICA IDENTITY FULL is set on it for " +
					"the deployment, so that each changed row is looked for by all its columns",
			],
		);
		assert.equal((await findings({ copying: false, freeBytes: { target: 1000 } })).length, 1);
	});

	it("refuses tables without a key whose rows could not be compared", async () => {
		await asOwner(
			source,
			`CREATE DOMAIN settings AS json;
			CREATE TYPE place AS (at point, name text);
			CREATE TYPE mood AS ENUM ('sad');
			CREATE TABLE a (id integer, raw json, "At" point, x xml[], s settings, p place, t text, v varchar(3), m mood[], j jsonb, r int4range, i inet);
			CREATE TABLE b (id integer, twice integer GENERATED ALWAYS AS (id * 2) VIRTUAL)`,
		);
		assert.deepEqual((await findings()).slice(0, 2), [
			"error: table public.a has no primary key, and its rows cannot be looked for by all columns, since there is no " +
				`equality for the types of raw, At, x, s, p; ${GIVE_KEY}`,
			"error: table public.b has no primary key but generated columns (twice), which do not take part in replication: " +
				`the live release could not change its rows any more; ${GIVE_KEY}`,
		]);
	});

	it("refuses replica identities with which the live release's changes would be refused", async () => {
		await asOwner(
			source,
			`CREATE TABLE a (id integer PRIMARY KEY);
			ALTER TABLE a REPLICA IDENTITY NOTHING;
			CREATE TABLE b (id integer NOT NULL UNIQUE);
			ALTER TABLE b REPLICA IDENTITY USING INDEX b_id_key;
			CREATE TABLE c (id integer PRIMARY KEY) PARTITION BY RANGE (id);
			CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (1) TO (10);
			CREATE TABLE c2 PARTITION OF c DEFAULT;
			ALTER TABLE c1 REPLICA IDENTITY FULL;
			ALTER TABLE c2 REPLICA IDENTITY NOTHING;
			CREATE TABLE d (a integer, b integer GENERATED ALWAYS AS (a) STORED PRIMARY KEY)`,
		);
		const restore = (name: string) =>
			`bring ALTER TABLE public.${name} REPLICA IDENTITY DEFAULT in a release before`;
		const nothing = "has REPLICA IDENTITY NOTHING, with which changes of its rows cannot be replicated";
		assert.deepEqual(await findings(), [
			`error: table public.a ${nothing}; ${restore("a")}`,
			"error: partition public.c1 has REPLICA IDENTITY FULL, its partitioned table DEFAULT; give both the same in a release before",
			`error: table public.c2 ${nothing}; ${restore("c2")}`,
			"error: the key of table public.d holds the generated column b, which does not take part in replication; " +
				"give it a key of ordinary columns in a release before",
		]);
	});

	it("tells what replication does not carry", async () => {
		await asOwner(
			source,
			`CREATE UNLOGGED TABLE cache (id integer PRIMARY KEY);
			CREATE UNLOGGED TABLE "Queue" (id integer PRIMARY KEY);
			INSERT INTO "Queue" VALUES (1);
			CREATE MATERIALIZED VIEW daily AS SELECT 1;
			CREATE MATERIALIZED VIEW weekly AS SELECT 1;
			CREATE MATERIALIZED VIEW never AS SELECT 1 WITH NO DATA;
			SELECT lo_create(0)`,
		);
		await source.query(
			`CREATE EXTENSION postgres_fdw;
			CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
			CREATE FOREIGN TABLE far (id integer) SERVER other;
			CREATE TABLE events (id integer, PRIMARY KEY (id)) PARTITION BY RANGE (id);
			ALTER TABLE events DROP CONSTRAINT events_pkey;
			CREATE FOREIGN TABLE events_far PARTITION OF events DEFAULT SERVER other`,
		);
		const section = { sql: "REFRESH MATERIALIZED VIEW weekly", transaction: true, line: 1 };
		assert.deepEqual(
			(await findings({ sections: [{ title: "m", section }] })).filter(
				(line) => !line.includes("no primary key"),
			),
			[
				"error: the live database holds 1 large object, which is not replicated; move them into bytea columns, or remove them with lo_unlink",
				'error: table public."Queue" is unlogged and holds rows, which are not replicated; bring ALTER TABLE public."Queue" SET LOGGED in a release before, or empty it',
				"error: partition public.events_far is a foreign table, whose rows are not replicated; detach it from its partitioned table in a release before",
				"warning: table public.cache is unlogged: rows that are written into it are not replicated; bring ALTER TABLE public.cache SET LOGGED in a release before",
				"warning: materialized view public.daily is not replicated: on the idle colour it holds what it held when its migration made it; bring REFRESH MATERIALIZED VIEW public.daily in a migration of this release",
				"note: foreign table public.far is made by its migration on both colours, and its rows stay where they are",
			],
		);
	});

	it("refuses row security that hides rows from the copy, or that replication would run into", async () => {
		await asOwner(
			source,
			`CREATE TABLE a (id integer PRIMARY KEY);
			ALTER TABLE a ENABLE ROW LEVEL SECURITY;
			CREATE TABLE b (id integer PRIMARY KEY);
			ALTER TABLE b ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
			CREATE TABLE c (id integer PRIMARY KEY);
			ALTER TABLE c FORCE ROW LEVEL SECURITY`,
		);
		await asOwner(
			target,
			`CREATE TABLE b (id integer PRIMARY KEY);
			ALTER TABLE b ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
		);
		const { user: reader } = databases[1]!.owner;
		const forced =
			"error: table public.b forces row security on its owner, as whom changes are replicated: PostgreSQL refuses that; " +
			"bring ALTER TABLE public.b NO FORCE ROW LEVEL SECURITY in a release before, or give its owner BYPASSRLS";
		const hidden = (name: string) =>
			`error: row security of table public.${name} hides rows from the role that copies them; ` +
			`give role ${reader} BYPASSRLS on the live colour's server`;
		assert.deepEqual(await findings({ copyRole: reader }), [hidden("a"), hidden("b"), forced]);
		assert.equal((await findings()).length, 3);
		assert.deepEqual(await findings({ copying: false }), [forced]);
		await source.query(`ALTER ROLE ${escapeIdentifier(reader)} BYPASSRLS`);
		assert.deepEqual(await findings({ copyRole: reader }), [forced]);
		await source.query(`ALTER ROLE ${escapeIdentifier(databases[0]!.owner.user)} BYPASSRLS`);
		assert.deepEqual(await findings({ copyRole: reader }), []);
	});

	it("tells of others that are at work in the live database, but not of the colours' own links", async () => {
		await asOwner(
			source,
			`CREATE SCHEMA deployment;
			CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
			CREATE FUNCTION deployment.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
			CREATE TABLE a (id integer PRIMARY KEY, b integer);
			CREATE TABLE log (line text, more text);
			INSERT INTO a VALUES (1, -1);
			ALTER TABLE a ADD CONSTRAINT positive CHECK (b > 0) NOT VALID;
			CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION act();
			CREATE TRIGGER u BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION deployment.act();
			CREATE TRIGGER v BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION act();
			ALTER TABLE a ENABLE ALWAYS TRIGGER t, ENABLE ALWAYS TRIGGER u`,
		);
		const subscription = (name: string) =>
			`CREATE SUBSCRIPTION ${name} CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE)`;
		await source.query("CREATE PUBLICATION cdc FOR TABLE a (id), log (line)");
		await source.query("CREATE PUBLICATION counting_staging_1_to_2 FOR TABLE a");
		const names = [databases[0]!.superuser.database, `${databases[0]!.superuser.database}_1_to_2`];
		const [theirs, ours] = names as [string, string];
		try {
			for (const name of names) await source.query(subscription(name));
			assert.deepEqual((await findings()).slice(0, -2), [
				`error: subscription ${theirs} brings rows into the live database, which are not passed on to the idle one; drop it, or write those rows as the application does`,
				"error: publication cdc lists columns of table log, whose rows are told apart by all columns for the deployment: the live " +
					"release could not change them any more; publish it without a list of columns, or give the table a primary key in a release before",
				"warning: trigger t of table public.a fires for replicated changes as well, so on both colours; make sure that it may act a second time on what it has done on the other colour",
				"warning: constraint positive of table public.a was never validated: an old row that violates it stops the copy; ALTER TABLE public.a VALIDATE CONSTRAINT first",
			]);
			assert.deepEqual(
				(await findings()).at(-1),
				"note: who follows publication cdc of the live database has to be moved to the idle one by hand",
			);
		} finally {
			for (const name of [theirs, ours]) await source.query(`DROP SUBSCRIPTION IF EXISTS ${name}`);
		}
	});

	it("counts what links of the colours have taken already", async () => {
		const { rows } = await source.query("SELECT current_setting('max_replication_slots')::integer AS most");
		const { rows: used } = await source.query("SELECT count(*)::integer AS slots FROM pg_replication_slots");
		const slots = Array.from(
			{ length: rows[0].most - used[0].slots },
			(_, n) => `${databases[0]!.superuser.database}_${n}_to_9`,
		);
		const subscription = slots[0]!;
		for (const slot of slots)
			await source.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
		try {
			const short = (needed: number) => [
				`error: the server of both colours has 0 of its ${rows[0].most} replication slots free, but ${needed} will be needed; ` +
					`raise max_replication_slots to at least ${rows[0].most + needed} there and restart the server`,
			];
			assert.deepEqual(await findings(), short(2));
			await target.query(
				`CREATE SUBSCRIPTION ${subscription} CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false, slot_name = ${subscription})`,
			);
			assert.deepEqual(await findings(), short(1));
		} finally {
			await target.query(
				`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE); DROP SUBSCRIPTION ${subscription}`,
			);
			for (const slot of slots) await source.query("SELECT pg_drop_replication_slot($1)", [slot]);
		}
	});

	it("changes nothing", async () => {
		await asOwner(source, "CREATE TABLE log (line text); CREATE UNLOGGED TABLE cache (id integer)");
		await Promise.all(
			[source, target].map((client) => client.query("SET default_transaction_read_only = on")),
		);
		assert.equal((await findings({ freeBytes: { source: 1, target: 1 } })).length, 3);
	});
});
