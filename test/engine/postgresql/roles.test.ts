import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { escapeLiteral } from "pg";
import { type Connection, withClient } from "../../../components/database/connection";
import { createPostgresqlProvider } from "../../../engine/postgresql/provider";
import { scramVerifier } from "../../../engine/postgresql/scram";
import type { Provider } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { host, Resource, settingsOf, TOKENS } from "./resource";
import { Stage, testAdministrator } from "./stage";

describe("roles of the embedded PostgreSQL provider", () => {
	let provider: Provider;
	let stage: Stage;
	let server: Connection;

	before(async () => {
		server = await testServer();
		provider = await createPostgresqlProvider(host);
		await provider.configure(settingsOf(server));
	});

	beforeEach(() => {
		stage = new Stage();
	});

	afterEach(() =>
		stage.sql(`DROP ROLE IF EXISTS ${stage.owner}; DROP ROLE IF EXISTS ${stage.app}`, "postgres"),
	);

	after(() => provider.close());

	const logIn = (user: string, password: string) =>
		withClient({ ...server, user, password }, { applicationName: "test" }, async (client) => {
			const { rows } = await client.query<{ user: string }>("SELECT current_user AS user");
			return rows[0]?.user;
		});

	for (const password of ["plain", 'it\'s \\ "quoted"; --', "Grüße, Ωmega ﬁ \u00a0 \u00ad ½", "日本語 🔑"]) {
		it(`lets a role log in with the password ${JSON.stringify(password)}`, async () => {
			const role = await new Resource(provider, TOKENS.role, {
				name: stage.app,
				login: true,
				password,
			}).create();
			assert.equal(await logIn(stage.app, password), stage.app);
			await role.update({ password: `${password}!` });
			assert.equal(await logIn(stage.app, `${password}!`), stage.app);
			await assert.rejects(logIn(stage.app, password), /password authentication failed/);
			await role.delete();
		});
	}

	for (const password of ["plain", "ﬁ½ Ω\u00a0\u00ad", "e\u0301", "\u0007bell", "日本語 🔑", "\u00ad"]) {
		it(`makes the server's own verifier for ${JSON.stringify(password)}`, async () => {
			await stage.sql(`CREATE ROLE ${stage.app} PASSWORD ${escapeLiteral(password)}`, "postgres");
			const query = `SELECT rolpassword FROM pg_authid WHERE rolname = '${stage.app}'`;
			const [row] = await stage.sql(query, "postgres");
			const expected = String(row?.rolpassword);
			const salt = Buffer.from(expected.split(/[:$]/)[2] ?? "", "base64");
			assert.equal(await scramVerifier(password, salt), expected);
		});
	}

	it("sends no password to the server, whatever the server logs", async () => {
		const password = "never-to-be-seen";
		const said: string[] = [];
		await stage.sql("ALTER ROLE postgres SET log_statement = 'all'", "postgres");
		try {
			const role = new Resource(provider, TOKENS.role, { name: stage.app, login: true, password });
			await role.create();
			await role.update({ password: `${password}-2`, connectionLimit: 2 });
			await assert.rejects(
				role.update({ password: `${password}-3`, validUntil: "no date" }),
				(error: Error) => {
					said.push(error.message);
					return /could not change role/.test(error.message);
				},
			);
		} finally {
			await stage.sql("ALTER ROLE postgres RESET log_statement", "postgres");
		}
		const [row] = await stage.sql("SHOW data_directory", "postgres");
		const log = readFileSync(join(String(row?.data_directory), "..", "server.log"), "utf8");
		assert.match(
			log,
			new RegExp(`ALTER ROLE "${stage.app}" WITH CONNECTION LIMIT 2 .*PASSWORD 'SCRAM-SHA-256`),
		);
		assert.match(log, new RegExp(`ERROR: .*\n.*STATEMENT:  ALTER ROLE "${stage.app}"`));
		assert.doesNotMatch(said.join() + log, new RegExp(password));
	});

	it("refuses an existing role, and takes it over after an interrupted creation", async () => {
		await stage.sql(
			`CREATE ROLE ${stage.app} SUPERUSER NOLOGIN CONNECTION LIMIT 9 PASSWORD 'old'; GRANT pg_monitor TO ${stage.app}`,
			"postgres",
		);
		const role = new Resource(provider, TOKENS.role, { name: stage.app, login: true, password: "new" });
		await assert.rejects(role.create(), new RegExp(`role "${stage.app}" already exists`));
		await role.create(true);
		const { superuser, login, connectionLimit, roles } = role.state.properties;
		assert.deepEqual(
			{ superuser, login, connectionLimit, roles },
			{ superuser: false, login: true, connectionLimit: -1, roles: null },
		);
		assert.equal(await logIn(stage.app, "new"), stage.app);
		assert.deepEqual(
			await stage.sql(`SELECT 1 FROM pg_auth_members WHERE member = '${stage.app}'::regrole`, "postgres"),
			[],
		);
		await role.refresh();
		assert.equal(await role.changes(), "none");
		await role.delete();
	});

	it("takes a role over as an administrator who is no superuser", async () => {
		const administrator = await createPostgresqlProvider(host);
		await administrator.configure(settingsOf(await testAdministrator()));
		const role = new Resource(administrator, TOKENS.role, { name: stage.app, login: true, password: "p" });
		await role.create();
		await role.create(true);
		assert.equal(await logIn(stage.app, "p"), stage.app);
		await role.delete();
		await administrator.close();
	});

	it("gives what a role owns to the user before it is dropped, unless told not to", async () => {
		const role = await new Resource(provider, TOKENS.role, { name: stage.app }).create();
		await stage.sql(
			`CREATE TABLE ${stage.database} (); ALTER TABLE ${stage.database} OWNER TO ${stage.app}`,
			"postgres",
		);
		await role.update({ skipReassignOwned: true });
		await assert.rejects(
			role.delete(),
			/could not drop role .* cannot be dropped because some objects depend on it/,
		);
		await role.update({ skipReassignOwned: false });
		await role.delete();
		const [row] = await stage.sql(
			`SELECT tableowner FROM pg_tables WHERE tablename = '${stage.database}'`,
			"postgres",
		);
		assert.equal(row?.tableowner, "postgres");
		await stage.sql(`DROP TABLE ${stage.database}`, "postgres");
	});

	it("finds nothing to do for a role that is gone", async () => {
		const role = await new Resource(provider, TOKENS.role, { name: stage.app }).create();
		await stage.sql(`DROP ROLE ${stage.app}`, "postgres");
		await role.refresh();
		assert.equal(role.answers.at(-1), "gone");
		await role.delete();
	});

	it("reads with `superuser: true` whether a role still has a password", async () => {
		const reading = await createPostgresqlProvider(host);
		await reading.configure(settingsOf(server, true));
		const role = await new Resource(reading, TOKENS.role, {
			name: stage.app,
			login: true,
			password: "p",
		}).create();
		await role.refresh();
		assert.equal(await role.changes(), "none");
		await stage.sql(`ALTER ROLE ${stage.app} PASSWORD NULL`, "postgres");
		await role.refresh();
		assert.equal(await role.changes(), "some");
		await role.update({});
		assert.equal(await logIn(stage.app, "p"), stage.app);
		await role.delete();
		await reading.close();
	});

	it("grants and revokes memberships in parallel", async () => {
		const members = await Promise.all(
			["a", "b", "c", "d", "e", "f"].map((letter) =>
				new Resource(provider, TOKENS.role, {
					name: `${stage.app}_${letter}`,
					roles: ["pg_monitor", "pg_checkpoint"],
				}).create(),
			),
		);
		await Promise.all(members.map((each) => each.update({ roles: ["pg_monitor"] })));
		await Promise.all(members.map((each) => each.delete()));
	});
});
