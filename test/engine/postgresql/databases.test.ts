import { strict as assert } from "node:assert";
import { connect } from "../../../components/database/connection";
import { createPostgresqlProvider } from "../../../engine/postgresql/provider";
import type { Provider } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { host, Resource, settingsOf, TOKENS } from "./resource";
import { Stage, testAdministrator } from "./stage";

describe("databases of the embedded PostgreSQL provider", () => {
	let provider: Provider;
	let administrator: Provider;
	let stage: Stage;

	before(async () => {
		provider = await createPostgresqlProvider(host);
		await provider.configure(settingsOf(await testServer()));
		administrator = await createPostgresqlProvider(host);
		await administrator.configure(settingsOf(await testAdministrator()));
	});

	beforeEach(() => {
		stage = new Stage();
	});

	afterEach(async () => {
		await stage.sql(`DROP DATABASE IF EXISTS ${stage.database} WITH (FORCE)`, "postgres");
		await stage.sql(`DROP ROLE IF EXISTS ${stage.owner}, ${stage.app}, ${stage.other}`, "postgres");
	});

	after(async () => {
		await provider.close();
		await administrator.close();
	});

	const describeDatabase = async (name: string) => {
		const [row] = await stage.sql(
			`SELECT pg_get_userbyid(datdba) AS owner, datconnlimit AS connections, datistemplate AS template
			FROM pg_database WHERE datname = '${name}'`,
			"postgres",
		);
		return row;
	};

	it("drops a database that is in use, with what is in it", async () => {
		const made = await new Resource(provider, TOKENS.database, {
			name: stage.database,
			isTemplate: true,
		}).create();
		await stage.sql("CREATE TABLE full_of_data AS SELECT 1 AS one");
		const server = await testServer();
		const user = await connect({ ...server, database: stage.database }, { applicationName: "test" });
		try {
			await made.delete();
			await assert.rejects(user.query("SELECT 1"));
		} finally {
			await user.end();
		}
		assert.equal(await describeDatabase(stage.database), undefined);
		await made.delete();
	});

	it("refuses an existing database, and takes it over after an interrupted creation", async () => {
		await stage.sql(`CREATE ROLE ${stage.owner}`, "postgres");
		await stage.sql(`CREATE DATABASE ${stage.database} CONNECTION LIMIT 1`, "postgres");
		const { database: name, owner } = stage;
		const made = new Resource(provider, TOKENS.database, {
			name,
			owner,
			connectionLimit: 7,
			isTemplate: true,
		});
		await assert.rejects(made.create(), new RegExp(`database "${name}" already exists`));
		await made.create(true);
		assert.deepEqual(await describeDatabase(name), { owner, connections: 7, template: true });
		assert.equal(await made.changes(), "none");
		await made.delete();
		await made.create(true);
		await made.delete();
	});

	it("does not take over a database with another encoding", async () => {
		await stage.sql(
			`CREATE DATABASE ${stage.database} ENCODING 'LATIN1' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'`,
			"postgres",
		);
		const made = new Resource(provider, TOKENS.database, { name: stage.database, encoding: "UTF8" });
		await assert.rejects(made.create(true), /exists already with encoding LATIN1, not UTF8: drop it/);
	});

	it("replaces a database whose name was chosen after the old one is gone, an automatic one before", async () => {
		const isDroppedFirst = async (resource: Resource) => {
			const { replaces, deleteBeforeReplace } = await resource.differences({ template: "template1" });
			assert.deepEqual(replaces, ["template"]);
			return deleteBeforeReplace;
		};
		const named = await new Resource(provider, TOKENS.database, { name: stage.database }).create();
		assert.equal(await isDroppedFirst(named), true);
		await named.delete();
		const unnamed = await new Resource(provider, TOKENS.database, {}).create();
		assert.match(unnamed.state.id, /^it-[0-9a-f]{7}$/);
		assert.equal(await isDroppedFirst(unnamed), false);
		await unnamed.delete();
	});

	it("works as an administrator who is no superuser, and leaves no membership behind", async () => {
		const { owner, other, database: name } = stage;
		const roles = [];
		for (const role of [owner, other]) {
			roles.push(await new Resource(administrator, TOKENS.role, { name: role }).create());
		}
		const made = await new Resource(administrator, TOKENS.database, { name, owner }).create();
		await stage.sql(`SET ROLE ${owner}; CREATE TABLE of_the_owner ()`);
		await made.update({ owner: other, alterObjectOwnership: true, connectionLimit: 3, isTemplate: true });
		assert.deepEqual(await describeDatabase(name), { owner: other, connections: 3, template: true });
		const [table] = await stage.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'of_the_owner'");
		assert.equal(table?.tableowner, other);
		await made.update({ name: `${name}_renamed` });
		assert.notEqual(await describeDatabase(`${name}_renamed`), undefined);
		await made.update({ name });
		await made.delete();
		const memberships = await stage.sql(
			`SELECT 1 FROM pg_auth_members WHERE set_option AND roleid IN ('${owner}'::regrole, '${other}'::regrole)`,
			"postgres",
		);
		assert.deepEqual(memberships, []);
		for (const role of roles) {
			await role.delete();
		}
	});

	it("makes several databases of one owner at the same time", async () => {
		for (const peer of [provider, administrator]) {
			const role = await new Resource(peer, TOKENS.role, { name: stage.owner }).create();
			const made = await Promise.all(
				[1, 2, 3, 4].map((number) =>
					new Resource(peer, TOKENS.database, {
						name: `${stage.database}_${number}`,
						owner: stage.owner,
					}).create(),
				),
			);
			await Promise.all(made.map((each) => each.delete()));
			await role.delete();
		}
	});

	it("says what was wrong, with the server's code", async () => {
		const made = new Resource(provider, TOKENS.database, {
			name: stage.database,
			owner: "nobody_of_this_name",
		});
		await assert.rejects(
			made.create(),
			new RegExp(
				`^Error: could not create database ${stage.database}: role "nobody_of_this_name" does not exist \\(42704\\)`,
			),
		);
	});
});
