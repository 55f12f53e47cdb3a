import { testServer } from "../../support/postgres";
import { Resource, TOKENS } from "./resource";
import { Pair, Stage, testAdministrator, unlessMissing } from "./stage";

const users = {
	"a superuser": testServer,
	"an administrator who is no superuser, as on managed servers": testAdministrator,
};

for (const [user, connect] of Object.entries(users)) {
	describe(`as ${user}, the embedded PostgreSQL provider has the real plugin's privileges${unlessMissing}`, () => {
		let pair: Pair;
		let stage: Stage;

		before(async function () {
			pair = await Pair.start(this, await connect());
		});

		beforeEach(() => {
			stage = new Stage();
		});

		after(() => pair?.close());

		it("keeps grants on tables, sequences, functions and columns alike", async () => {
			const { database, owner, app, other } = stage;
			await pair.compare((peer) =>
				stage.withDatabase(peer, async () => {
					const base = { database, role: app, schema: "public" };
					const all = new Resource(peer, TOKENS.grant, {
						...base,
						objectType: "table",
						privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"],
					});
					await all.create();
					await all.refresh();
					await stage.sql(`REVOKE DELETE ON second FROM ${app}`);
					await all.refresh();
					await all.update({ privileges: ["SELECT"] });
					await all.update({ privileges: ["ALL"] });
					await all.refresh();
					await all.differences({ objects: ["first"] });
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
					await some.differences({ objects: ["first", "third"] });
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
					await stage.sql(`REVOKE SELECT (note) ON second FROM ${owner}`);
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
			const { database, owner, app, other } = stage;
			await pair.compare((peer) =>
				stage.withDatabase(peer, async () => {
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
					await tables.differences({ schema: null, role: other });
					await tables.differences({ privileges: [] });
					await stage.sql(
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
					await member.differences({ withAdminOption: true });
					await member.differences({ role: other });
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
	});
}
