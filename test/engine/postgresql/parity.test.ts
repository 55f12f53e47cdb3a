import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { withClient } from "../../../components/database/connection";
import { createPostgresqlProvider } from "../../../engine/postgresql/provider";
import { type Properties, type Provider, UNKNOWN } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { findPlugin, type Peer, startPlugin } from "./plugin";
import { host, PROVIDER, Resource, settingsOf, subject, TOKENS } from "./support";

const program = findPlugin();
const missing = program === undefined ? " (skipped: the plugin is not installed)" : "";

describe(`the embedded PostgreSQL provider against the real plugin${missing}`, () => {
	let plugin: Peer;
	let embedded: Provider;
	const secrets = new Set<string>();

	before(async function () {
		if (program === undefined) {
			return this.skip();
		}
		const settings = settingsOf(await testServer());
		plugin = await startPlugin(program, secrets);
		embedded = await createPostgresqlProvider(host);
		for (const peer of [plugin, embedded]) {
			const { inputs } = await peer.checkConfig({ ...subject(PROVIDER), news: settings });
			assert.deepEqual(inputs, settings);
			await peer.configure(inputs);
		}
	});

	after(async () => {
		await plugin?.close();
		await embedded?.close();
	});

	let suffix: string;
	let owner: string;
	let app: string;
	let other: string;
	let database: string;

	beforeEach(() => {
		suffix = randomBytes(3).toString("hex");
		[owner, app, other, database] = [`owner_${suffix}`, `app_${suffix}`, `other_${suffix}`, `db_${suffix}`];
	});

	/** Runs the same calls against both, each leaving the server as it found it, and compares every answer. */
	async function compare(scenario: (peer: Peer) => Promise<Resource[]>): Promise<void> {
		const expected = (await scenario(plugin)).flatMap(({ answers }) => answers);
		const actual = (await scenario(embedded)).flatMap(({ answers }) => answers);
		for (const [index, answer] of expected.entries()) {
			assert.deepEqual(actual[index], answer);
		}
		assert.equal(actual.length, expected.length);
	}

	async function withRoles<T>(peer: Peer, work: () => Promise<T>): Promise<T> {
		const roles = [owner, app, other].map((name) => new Resource(peer, TOKENS.role, { name }));
		for (const role of roles) {
			await role.create();
		}
		try {
			return await work();
		} finally {
			for (const role of roles) {
				await role.delete();
			}
		}
	}

	async function withDatabase<T>(peer: Peer, work: () => Promise<T>): Promise<T> {
		return withRoles(peer, async () => {
			const made = await new Resource(peer, TOKENS.database, { name: database, owner }).create();
			try {
				await sql(`
					CREATE TABLE first (id int);
					CREATE TABLE second (id int, note text, extra text);
					CREATE SEQUENCE third;
					CREATE FUNCTION one(int) RETURNS int LANGUAGE sql RETURN 1;
					CREATE SCHEMA others`);
				return await work();
			} finally {
				await made.delete();
			}
		});
	}

	async function sql(statements: string, target = database): Promise<void> {
		const connection = { ...(await testServer()), database: target };
		await withClient(connection, { applicationName: "test" }, (client) => client.query(statements));
	}

	it("keeps roles alike through creation, every change, drift, renaming and removal", async () => {
		await compare(async (peer) => {
			const name = `role_${suffix}`;
			const role = new Resource(peer, TOKENS.role, { name, login: true, password: "first" });
			await role.create();
			await role.update({});
			await role.refresh();
			await role.adopt();
			await role.update({ connectionLimit: 7 });
			await role.update({ roles: ["pg_monitor", "pg_checkpoint"], searchPaths: ["b", "a"] });
			await role.update({ roles: ["pg_read_all_data", "pg_monitor"], searchPaths: ["a", "b", "c"] });
			await role.update({
				statementTimeout: 5000,
				idleInTransactionSessionTimeout: 6000,
				assumeRole: "pg_monitor",
			});
			await role.refresh();
			await role.update({ password: "second", createDatabase: true, createRole: true, replication: true });
			await role.update({
				superuser: true,
				bypassRowLevelSecurity: true,
				inherit: false,
				validUntil: "2031-01-01 00:00:00+00",
			});
			await role.refresh();
			await role.update({ validUntil: "2032-01-01" });
			await role.update({});
			await role.refresh();
			await sql(`ALTER ROLE ${name} NOLOGIN CONNECTION LIMIT 3; REVOKE pg_monitor FROM ${name}`, "postgres");
			await role.refresh();
			await role.update({
				name: `${name}_new`,
				roles: null,
				searchPaths: null,
				statementTimeout: null,
				assumeRole: null,
			});
			await role.update({ login: null, connectionLimit: null, validUntil: null, password: null });
			await role.refresh();
			await role.plan({ name: UNKNOWN, roles: [UNKNOWN], connectionLimit: UNKNOWN });
			await role.update({ superuser: false, encryptedPassword: false, skipReassignOwned: true });
			await role.delete();
			await role.refresh();
			return [role];
		});
	});

	it("keeps databases alike", async () => {
		await compare((peer) =>
			withRoles(peer, async () => {
				const made = new Resource(peer, TOKENS.database, { name: database, owner });
				await made.create();
				await made.update({});
				await made.refresh();
				await made.adopt();
				await made.update({ connectionLimit: 4, allowConnections: false, isTemplate: true });
				await made.update({ owner: app, allowConnections: true });
				await made.refresh();
				await sql(`CREATE TABLE mine (); ALTER TABLE mine OWNER TO ${app}`);
				await made.update({ owner: other, alterObjectOwnership: true });
				await sql(`DROP TABLE mine; ALTER DATABASE ${database} CONNECTION LIMIT 9`);
				await made.refresh();
				await made.update({});
				for (const change of [
					{ template: "template1" },
					{ encoding: "LATIN1" },
					{ encoding: "UTF8", lcCollate: "C", lcCtype: "C" },
					{ lcCollate: "POSIX", name: "elsewhere" },
					{ owner: null, tablespaceName: "elsewhere" },
					{ template: UNKNOWN, owner: UNKNOWN },
				] as Properties[]) {
					await made.plan(change);
				}
				await made.update({ name: `${database}_new`, isTemplate: null, connectionLimit: null });
				await made.refresh();
				await made.update({ connectionLimit: 0 });
				await made.delete();
				await made.refresh();
				const plain = await new Resource(peer, TOKENS.database, {
					name: database,
					encoding: "UTF8",
					lcCollate: "C",
					lcCtype: "DEFAULT",
					template: "template0",
					tablespaceName: "pg_default",
					isTemplate: true,
				}).create();
				await plain.refresh();
				await plain.delete();
				return [made, plain];
			}),
		);
	});

	it("keeps grants on databases and schemas alike", async () => {
		await compare((peer) =>
			withDatabase(peer, async () => {
				const nobody = new Resource(peer, TOKENS.grant, {
					database,
					role: "public",
					objectType: "database",
					privileges: [],
				});
				await nobody.create();
				await nobody.update({});
				await nobody.refresh();
				await sql(`GRANT CONNECT ON DATABASE ${database} TO PUBLIC`);
				await nobody.refresh();
				await nobody.update({ privileges: [] });
				await nobody.adopt();
				const connect = new Resource(peer, TOKENS.grant, {
					database,
					role: app,
					objectType: "database",
					privileges: ["TEMPORARY", "CONNECT"],
				});
				await connect.create();
				await connect.update({ privileges: ["CONNECT", "TEMPORARY", "CREATE"] });
				await connect.update({ privileges: ["ALL"] });
				await connect.refresh();
				await connect.update({ privileges: [] });
				await connect.refresh();
				await connect.update({ privileges: ["CONNECT"] });
				await connect.plan({ withGrantOption: true });
				await connect.plan({ role: other, privileges: UNKNOWN });
				await connect.plan({ database: UNKNOWN });
				const use = new Resource(peer, TOKENS.grant, {
					database,
					role: app,
					objectType: "schema",
					schema: "others",
					privileges: ["USAGE"],
					withGrantOption: true,
				});
				await use.create();
				await use.refresh();
				await use.plan({ schema: null });
				for (const each of [nobody, connect, use]) {
					await each.delete();
				}
				await use.refresh();
				await connect.refresh();
				return [nobody, connect, use];
			}),
		);
	});

	it("keeps grants on tables, sequences, functions and columns alike", async () => {
		await compare((peer) =>
			withDatabase(peer, async () => {
				const base = { database, role: app, schema: "public" };
				const all = new Resource(peer, TOKENS.grant, {
					...base,
					objectType: "table",
					privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"],
				});
				await all.create();
				await all.refresh();
				await sql(`REVOKE DELETE ON second FROM ${app}`);
				await all.refresh();
				await all.update({ privileges: ["SELECT"] });
				await all.update({ privileges: ["ALL"] });
				await all.refresh();
				await all.plan({ objects: ["first"] });
				const some = new Resource(peer, TOKENS.grant, {
					...base,
					role: other,
					objectType: "table",
					objects: ["second", "first"],
					privileges: ["SELECT", "UPDATE"],
				});
				await some.create();
				await some.refresh();
				await some.update({ privileges: ["SELECT"] });
				await some.plan({ objects: ["first", "third"] });
				const columns = new Resource(peer, TOKENS.grant, {
					...base,
					role: owner,
					objectType: "column",
					objects: ["second"],
					columns: ["note", "id", "extra"],
					privileges: ["SELECT"],
				});
				await columns.create();
				await columns.refresh();
				await sql(`REVOKE SELECT (note) ON second FROM ${owner}`);
				await columns.refresh();
				const sequences = new Resource(peer, TOKENS.grant, {
					...base,
					objectType: "sequence",
					privileges: ["USAGE", "SELECT"],
				});
				await sequences.create();
				await sequences.update({ privileges: ["USAGE"] });
				const functions = new Resource(peer, TOKENS.grant, {
					...base,
					objectType: "function",
					objects: ["one(int)"],
					privileges: ["EXECUTE"],
				});
				await functions.create();
				await functions.refresh();
				const resources = [all, some, columns, sequences, functions];
				for (const each of resources) {
					await each.delete();
				}
				await all.refresh();
				return resources;
			}),
		);
	});

	it("keeps default privileges and memberships alike", async () => {
		await compare((peer) =>
			withDatabase(peer, async () => {
				const tables = new Resource(peer, TOKENS.defaultPrivileges, {
					database,
					owner,
					role: app,
					schema: "public",
					objectType: "table",
					privileges: ["SELECT", "INSERT"],
				});
				await tables.create();
				await tables.update({});
				await tables.refresh();
				await tables.update({ privileges: ["SELECT", "UPDATE"] });
				await tables.plan({ schema: null, role: other });
				await tables.plan({ privileges: [] });
				await sql(
					`ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public REVOKE UPDATE ON TABLES FROM ${app}`,
				);
				await tables.refresh();
				const nobody = new Resource(peer, TOKENS.defaultPrivileges, {
					database,
					owner,
					role: "public",
					objectType: "function",
					privileges: [],
				});
				await nobody.create();
				await nobody.update({});
				await nobody.refresh();
				const sequences = new Resource(peer, TOKENS.defaultPrivileges, {
					database,
					owner,
					role: app,
					objectType: "sequence",
					privileges: ["ALL"],
					withGrantOption: true,
				});
				await sequences.create();
				await sequences.refresh();
				const member = new Resource(peer, TOKENS.grantRole, { role: app, grantRole: owner });
				await member.create();
				await member.update({});
				await member.refresh();
				await member.plan({ withAdminOption: true });
				await member.plan({ role: other });
				const resources = [tables, nobody, sequences, member];
				for (const each of resources) {
					await each.delete();
				}
				await tables.refresh();
				await member.refresh();
				return resources;
			}),
		);
	});

	it("keeps schemas and extensions alike", async () => {
		await compare((peer) =>
			withDatabase(peer, async () => {
				const made = new Resource(peer, TOKENS.schema, { name: "made", database, owner });
				await made.create();
				await made.update({});
				await made.refresh();
				await made.adopt();
				await made.update({ owner: app, dropCascade: true });
				await made.update({ name: "renamed", owner: null, ifNotExists: false });
				await made.refresh();
				await made.plan({ database: "postgres" });
				const adopted = new Resource(peer, TOKENS.schema, { name: "others", database });
				await adopted.create();
				const crypto = new Resource(peer, TOKENS.extension, { name: "pgcrypto", database });
				await crypto.create();
				await crypto.update({});
				await crypto.refresh();
				await crypto.adopt();
				await crypto.update({ schema: "renamed", dropCascade: true });
				await crypto.plan({ name: "citext", version: "9" });
				await crypto.plan({ database: "postgres" });
				await crypto.delete();
				await crypto.refresh();
				await made.delete();
				await made.refresh();
				await adopted.delete();
				return [made, adopted, crypto];
			}),
		);
	});

	it("marks the same properties as secret", async () => {
		for (const type of [PROVIDER, ...Object.values(TOKENS)]) {
			const marked = [...secrets].filter((each) => each.startsWith(`${type}.`)).sort();
			assert.deepEqual(
				embedded
					.secretProperties(type)
					.map((name) => `${type}.${name}`)
					.sort(),
				marked,
			);
		}
	});
});
