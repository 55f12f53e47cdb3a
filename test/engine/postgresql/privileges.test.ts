import { strict as assert } from "node:assert";
import { createPostgresqlProvider } from "../../../engine/postgresql/provider";
import type { Properties, Provider } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { host, Resource, settingsOf, TOKENS } from "./resource";
import { Stage, testAdministrator } from "./stage";

const users = {
	"a superuser": testServer,
	"an administrator who is no superuser": testAdministrator,
};

for (const [user, connection] of Object.entries(users)) {
	describe(`privileges of the embedded PostgreSQL provider, as ${user}`, () => {
		let provider: Provider;
		let stage: Stage;

		before(async () => {
			provider = await createPostgresqlProvider(host);
			await provider.configure(settingsOf(await connection()));
		});

		beforeEach(() => {
			stage = new Stage();
		});

		after(() => provider.close());

		const may = async (role: string, question: string) => {
			const [row] = await stage.sql(`SELECT has_${question.replace("(", `_privilege('${role}', `)} AS may`);
			return row?.may;
		};

		it("closes a database to everybody and opens it to one role", async () => {
			await stage.withDatabase(provider, async () => {
				const { database, app, other } = stage;
				const connect = `database('${database}', 'CONNECT')`;
				const base = { database, objectType: "database" };
				const closed = await new Resource(provider, TOKENS.grant, {
					...base,
					role: "public",
					privileges: [],
				}).create();
				assert.deepEqual([await may(app, connect), await may(other, connect)], [false, false]);
				assert.equal(closed.state.properties.privileges, null);
				const opened = await new Resource(provider, TOKENS.grant, {
					...base,
					role: app,
					privileges: ["CONNECT"],
				}).create();
				assert.deepEqual([await may(app, connect), await may(other, connect)], [true, false]);
				assert.equal(await opened.changes(), "none");
				await opened.delete();
				assert.equal(await may(app, connect), false);
				await closed.delete();
			});
		});

		it("gives rights on tables there are, and on those to come", async () => {
			await stage.withDatabase(provider, async () => {
				const { database, app, owner } = stage;
				const base = {
					database,
					role: app,
					schema: "public",
					objectType: "table",
					privileges: ["SELECT", "INSERT"],
				};
				const present = await new Resource(provider, TOKENS.grant, base).create();
				const future = await new Resource(provider, TOKENS.defaultPrivileges, { ...base, owner }).create();
				await stage.sql(`SET ROLE ${owner}; CREATE TABLE fourth ()`);
				for (const table of ["first", "second", "fourth"]) {
					assert.equal(await may(app, `table('${table}', 'SELECT')`), true);
					assert.equal(await may(app, `table('${table}', 'DELETE')`), false);
				}
				await present.update({ privileges: ["SELECT"] });
				assert.equal(await may(app, "table('first', 'INSERT')"), false);
				await future.delete();
				await stage.sql(`SET ROLE ${owner}; CREATE TABLE fifth ()`);
				assert.equal(await may(app, "table('fifth', 'SELECT')"), false);
				await present.delete();
				assert.equal(await may(app, "table('first', 'SELECT')"), false);
			});
		});

		it("sees a table without the privileges as drift, and mends it", async () => {
			await stage.withDatabase(provider, async () => {
				const { database, app, owner } = stage;
				const program = {
					database,
					role: app,
					schema: "public",
					objectType: "table",
					privileges: ["SELECT"],
				};
				const made = await new Resource(provider, TOKENS.grant, program).create();
				await stage.sql(`SET ROLE ${owner}; CREATE TABLE fourth ()`);
				await made.refresh();
				assert.deepEqual(made.state.properties.privileges, []);
				assert.equal(await made.changes(), "some");
				await made.update({});
				assert.equal(await may(app, "table('fourth', 'SELECT')"), true);
				await made.delete();
			});
		});

		it("grants on the objects of one database in parallel", async () => {
			await stage.withDatabase(provider, async () => {
				const { database, owner, app, other } = stage;
				const programs = [app, other, "public"].flatMap((role): [string, Properties][] => [
					[TOKENS.grant, { database, role, objectType: "database", privileges: ["CONNECT"] }],
					[TOKENS.grant, { database, role, objectType: "schema", schema: "public", privileges: ["USAGE"] }],
					[TOKENS.grant, { database, role, objectType: "table", schema: "public", privileges: ["SELECT"] }],
					[TOKENS.grant, { database, role, objectType: "sequence", schema: "public", privileges: ["USAGE"] }],
					[TOKENS.defaultPrivileges, { database, role, owner, objectType: "table", privileges: ["SELECT"] }],
					[
						TOKENS.defaultPrivileges,
						{ database, role, owner, objectType: "sequence", privileges: ["SELECT"] },
					],
				]);
				const made = await Promise.all(
					programs.map(([type, program]) => new Resource(provider, type, program).create()),
				);
				await Promise.all(made.map((each) => each.refresh()));
				assert.deepEqual(
					await Promise.all(made.map((each) => each.changes())),
					made.map(() => "none"),
				);
				await Promise.all(made.map((each) => each.delete()));
			});
		});

		it("finds nothing to revoke when role or database is gone", async () => {
			const { database, owner, app } = stage;
			const made: Resource[] = [];
			await stage.withDatabase(provider, async () => {
				const program = {
					database,
					role: app,
					objectType: "table",
					schema: "public",
					privileges: ["SELECT"],
				};
				made.push(
					await new Resource(provider, TOKENS.grant, program).create(),
					await new Resource(provider, TOKENS.defaultPrivileges, { ...program, owner }).create(),
					await new Resource(provider, TOKENS.schema, { database, name: "made", owner }).create(),
					await new Resource(provider, TOKENS.extension, { database, name: "pgcrypto" }).create(),
					await new Resource(provider, TOKENS.grantRole, { role: app, grantRole: owner }).create(),
				);
			});
			for (const each of made) {
				await each.refresh();
				assert.equal(each.answers.at(-1), "gone");
				await each.delete();
			}
		});

		it("tells what cannot be granted before anything is changed", async () => {
			await stage.withDatabase(provider, async () => {
				const { database, app } = stage;
				const refuse = (program: Properties, reason: RegExp) =>
					assert.rejects(
						new Resource(provider, TOKENS.grant, { database, role: app, ...program }).create(),
						reason,
					);
				await refuse(
					{ objectType: "database", privileges: ["SELECT", "EXECUTE"] },
					/EXECUTE, SELECT cannot be granted on a database; allowed: ALL, CREATE, CONNECT, TEMPORARY/,
				);
				await refuse({ objectType: "table", privileges: ["SELECT"] }, /`schema` is missing/);
				await refuse(
					{ objectType: "column", schema: "public", privileges: ["SELECT", "INSERT"] },
					/`columns` must name at least one; `privileges` must name exactly one; `objects` must name exactly one/,
				);
				await refuse(
					{ objectType: "table", schema: "nowhere", privileges: ["SELECT"] },
					/schema nowhere does not exist in database/,
				);
			});
		});
	});
}
