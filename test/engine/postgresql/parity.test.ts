import { strict as assert } from "node:assert";
import { type Properties, UNKNOWN } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { PROVIDER, Resource, TOKENS } from "./resource";
import { Pair, Stage, unlessMissing } from "./stage";

describe(`the embedded PostgreSQL provider has the real plugin's roles and databases${unlessMissing}`, () => {
	let pair: Pair;
	let stage: Stage;

	before(async function () {
		pair = await Pair.start(this, await testServer());
	});

	beforeEach(() => {
		stage = new Stage();
	});

	after(() => pair?.close());

	it("keeps roles alike through creation, every change, drift, renaming and removal", async () => {
		await pair.compare(async (peer) => {
			const name = stage.app;
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
			await stage.sql(
				`ALTER ROLE ${name} NOLOGIN CONNECTION LIMIT 3; REVOKE pg_monitor FROM ${name}`,
				"postgres",
			);
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
			await role.differences({ name: UNKNOWN, roles: [UNKNOWN], connectionLimit: UNKNOWN });
			await role.update({ superuser: false, encryptedPassword: false, skipReassignOwned: true });
			await role.delete();
			await role.refresh();
			return [role];
		});
	});

	it("keeps databases alike", async () => {
		await pair.compare((peer) =>
			stage.withRoles(peer, async () => {
				const made = new Resource(peer, TOKENS.database, { name: stage.database, owner: stage.owner });
				await made.create();
				await made.update({});
				await made.refresh();
				await made.adopt();
				await made.update({ connectionLimit: 4, allowConnections: false, isTemplate: true });
				await made.update({ owner: stage.app, allowConnections: true });
				await made.refresh();
				await stage.sql(`CREATE TABLE mine (); ALTER TABLE mine OWNER TO ${stage.app}`);
				await made.update({ owner: stage.other, alterObjectOwnership: true });
				await stage.sql(`DROP TABLE mine; ALTER DATABASE ${stage.database} CONNECTION LIMIT 9`);
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
					await made.differences(change);
				}
				await made.update({ name: `${stage.database}_new`, isTemplate: null, connectionLimit: null });
				await made.refresh();
				await made.update({ connectionLimit: 0 });
				await made.delete();
				await made.refresh();
				const plain = await new Resource(peer, TOKENS.database, {
					name: stage.database,
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
		const { database, app, other } = stage;
		await pair.compare((peer) =>
			stage.withDatabase(peer, async () => {
				const nobody = new Resource(peer, TOKENS.grant, {
					database,
					role: "public",
					objectType: "database",
					privileges: [],
				});
				await nobody.create();
				await nobody.update({});
				await nobody.refresh();
				await stage.sql(`GRANT CONNECT ON DATABASE ${database} TO PUBLIC`);
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
				await connect.differences({ withGrantOption: true });
				await connect.differences({ role: other, privileges: UNKNOWN });
				await connect.differences({ database: UNKNOWN });
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
				await use.differences({ schema: null });
				for (const each of [nobody, connect, use]) {
					await each.delete();
				}
				await use.refresh();
				await connect.refresh();
				return [nobody, connect, use];
			}),
		);
	});

	it("keeps schemas and extensions alike", async () => {
		const { database, owner, app } = stage;
		await pair.compare((peer) =>
			stage.withDatabase(peer, async () => {
				const made = new Resource(peer, TOKENS.schema, { name: "made", database, owner });
				await made.create();
				await made.update({});
				await made.refresh();
				await made.adopt();
				await made.update({ owner: app, dropCascade: true });
				await made.update({ name: "renamed", owner: null, ifNotExists: false });
				await made.refresh();
				await made.differences({ database: "postgres" });
				const adopted = new Resource(peer, TOKENS.schema, { name: "others", database });
				await adopted.create();
				const crypto = new Resource(peer, TOKENS.extension, { name: "pgcrypto", database });
				await crypto.create();
				await crypto.update({});
				await crypto.refresh();
				await crypto.adopt();
				await crypto.update({ schema: "renamed", dropCascade: true });
				await crypto.differences({ name: "citext", version: "9" });
				await crypto.differences({ database: "postgres" });
				await crypto.delete();
				await crypto.refresh();
				await made.delete();
				await made.refresh();
				await adopted.delete();
				return [made, adopted, crypto];
			}),
		);
	});
	it("goes on where the plugin stopped, and the other way round, with nothing to do", async () => {
		const { owner, app, database } = stage;
		const base = { database, owner, role: app };
		for (const [first, second] of [
			[pair.embedded, pair.plugin],
			[pair.plugin, pair.embedded],
		] as const) {
			const made = [
				new Resource(first, TOKENS.role, { name: owner, login: true, password: "first", roles: [] }),
				new Resource(first, TOKENS.role, { name: app, roles: ["pg_monitor"], searchPaths: ["a"] }),
				new Resource(first, TOKENS.database, { name: database, owner, connectionLimit: 5 }),
				new Resource(first, TOKENS.grant, {
					database,
					role: "public",
					objectType: "database",
					privileges: [],
				}),
				new Resource(first, TOKENS.grant, {
					database,
					role: app,
					objectType: "database",
					privileges: ["ALL"],
				}),
				new Resource(first, TOKENS.defaultPrivileges, {
					...base,
					objectType: "table",
					privileges: ["SELECT"],
				}),
				new Resource(first, TOKENS.schema, { database, name: "made", owner }),
				new Resource(first, TOKENS.extension, { database, name: "pgcrypto" }),
				new Resource(first, TOKENS.grantRole, { role: app, grantRole: owner }),
			];
			for (const each of made) {
				await each.create();
			}
			const handed = made.map((each) => each.handTo(second));
			// Roles are left for the end: their memberships are seen by a refresh, whoever granted them.
			const [roles, others] = [handed.slice(0, 2), handed.slice(2)];
			for (const each of others) {
				assert.equal(await each.changes(), "none");
				const before = each.state;
				await each.refresh();
				assert.deepEqual(each.state, before);
				assert.equal(await each.changes(), "none");
			}
			for (const role of roles) {
				assert.equal(await role.changes(), "none");
				await role.update({ connectionLimit: 3 });
				assert.equal(await role.handTo(first).changes(), "none");
			}
			for (const each of [...others.reverse(), ...roles]) {
				await each.delete();
			}
		}
	});

	it("marks the same properties as secret", async () => {
		for (const type of [PROVIDER, TOKENS.role, TOKENS.database]) {
			const marked = [...pair.secrets].filter((each) => each.startsWith(`${type}.`)).sort();
			const own = pair.embedded.secretProperties(type).map((name) => `${type}.${name}`);
			assert.deepEqual(own.sort(), marked);
		}
	});
});
