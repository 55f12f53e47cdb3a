import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { type Connection, withClient } from "../../../components/database/connection";
import { createPostgresqlProvider } from "../../../engine/postgresql/provider";
import type { Provider } from "../../../engine/provider";
import { testServer } from "../../support/postgres";
import { findPlugin, type Peer, startPlugin } from "./plugin";
import { host, PROVIDER, Resource, settingsOf, subject, TOKENS } from "./resource";

const program = findPlugin();
/** For titles: why a comparison with the real plugin is skipped. */
export const unlessMissing = program === undefined ? " (skipped: the plugin is not installed)" : "";

/** The real plugin and the embedded provider on one server, as the same user. */
export class Pair {
	private constructor(
		readonly plugin: Peer,
		readonly embedded: Provider,
		/** What the plugin marked as secret: `<type>.<property>`. */
		readonly secrets: ReadonlySet<string>,
	) {}

	/** Skips the suite where there is no plugin. */
	static async start(suite: Mocha.Context, connection: Connection, superuser = false): Promise<Pair> {
		if (program === undefined) {
			return suite.skip();
		}
		const secrets = new Set<string>();
		const pair = new Pair(await startPlugin(program, secrets), await createPostgresqlProvider(host), secrets);
		for (const peer of [pair.plugin, pair.embedded]) {
			const news = settingsOf(connection, superuser);
			const { inputs } = await peer.checkConfig({ ...subject(PROVIDER), news });
			assert.deepEqual(inputs, news);
			await peer.configure(inputs);
		}
		return pair;
	}

	async close(): Promise<void> {
		await this.plugin.close();
		await this.embedded.close();
	}

	/** Runs the same calls against both, each leaving the server as it found it, and compares every answer. */
	async compare(scenario: (peer: Peer) => Promise<Resource[]>): Promise<void> {
		const expected = (await scenario(this.plugin)).flatMap(({ answers }) => answers);
		const actual = (await scenario(this.embedded)).flatMap(({ answers }) => answers);
		for (const [index, answer] of expected.entries()) {
			assert.deepEqual(actual[index], answer);
		}
		assert.equal(actual.length, expected.length);
	}
}

/** Names of its own for a test's roles and database. */
export class Stage {
	private readonly suffix = randomBytes(4).toString("hex");
	readonly owner = `owner_${this.suffix}`;
	readonly app = `app_${this.suffix}`;
	readonly other = `other_${this.suffix}`;
	readonly database = `db_${this.suffix}`;

	/** Runs statements as the server's superuser. */
	async sql(statements: string, database = this.database): Promise<{ [column: string]: unknown }[]> {
		const connection = { ...(await testServer()), database };
		return withClient(connection, { applicationName: "test" }, async (client) => {
			const { rows } = await client.query(statements);
			return rows;
		});
	}

	/** Has the three roles made and, whatever happens, removed by the provider. */
	async withRoles<T>(peer: Peer, work: () => Promise<T>): Promise<T> {
		const roles: Resource[] = [];
		try {
			for (const name of [this.owner, this.app, this.other]) {
				roles.push(await new Resource(peer, TOKENS.role, { name }).create());
			}
			return await work();
		} finally {
			for (const role of roles) {
				await role.delete();
			}
		}
	}

	/** The same with a database of the owner, which has some objects of each kind. */
	async withDatabase<T>(peer: Peer, work: () => Promise<T>): Promise<T> {
		return this.withRoles(peer, async () => {
			const { database, owner } = this;
			const made = await new Resource(peer, TOKENS.database, { name: database, owner }).create();
			try {
				await this.sql(`
					SET ROLE ${owner};
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
}

let administrator: Promise<Connection> | undefined;

/** A user of the shared server who may make roles and databases, but is no superuser. */
export function testAdministrator(): Promise<Connection> {
	administrator ??= makeAdministrator();
	return administrator;
}

async function makeAdministrator(): Promise<Connection> {
	const server = await testServer();
	const [user, password] = [`admin_${randomBytes(4).toString("hex")}`, randomBytes(12).toString("hex")];
	await withClient(server, { applicationName: "test" }, (client) =>
		client.query(`CREATE ROLE ${user} LOGIN CREATEDB CREATEROLE PASSWORD '${password}'`),
	);
	return { ...server, user, password };
}
