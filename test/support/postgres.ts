import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escapeIdentifier, escapeLiteral } from "pg";
import { type Connection, withClient } from "../../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";

/** Names the folder in which each process that runs tests keeps its server. */
const SERVERS = "COUNTING_TEST_SERVERS";

let server: Promise<Connection> | undefined;

/** Makes the folder for the servers; the processes that run tests inherit its name. */
export function prepareTestServers(): void {
	process.env[SERVERS] = mkdtempSync(join(tmpdir(), "counting-test-"));
	// For PostgreSQL's own account, when root runs the tests.
	chmodSync(testServers(), 0o755);
}

/** Stops and removes every server of this run. */
export async function removeTestServers(): Promise<void> {
	for (const name of readdirSync(testServers())) {
		await removeServer(join(testServers(), name), 30);
	}
	rmSync(testServers(), { recursive: true });
}

function testServers(): string {
	const directory = process.env[SERVERS];
	if (directory === undefined) {
		throw new Error("mocha was not told to require test/support/hooks.ts");
	}
	return directory;
}

/** The superuser's connection to a PostgreSQL server that the tests of this process share, started on first use. */
export function testServer(): Promise<Connection> {
	server ??= start();
	return server;
}

async function start(): Promise<Connection> {
	const directory = join(testServers(), `server-${process.env.MOCHA_WORKER_ID ?? "only"}`);
	mkdirSync(directory);
	const password = randomBytes(12).toString("hex");
	const { port } = await ensureServer({ directory, password, maxConnections: 100, timeoutSeconds: 60 });
	return superuserConnection(port, password);
}

export interface TestDatabase {
	/** The role that owns the database; no superuser. */
	owner: Connection;
	superuser: Connection;
	drop(): Promise<void>;
}

/** A fresh database with an owner of its own on the shared server. */
export async function testDatabase(): Promise<TestDatabase> {
	const admin = await testServer();
	const name = `test_${randomBytes(6).toString("hex")}`;
	const password = randomBytes(12).toString("hex");
	const identifier = escapeIdentifier(name);
	const session = { applicationName: "test" };
	await withClient(admin, session, async (client) => {
		await client.query(`CREATE ROLE ${identifier} LOGIN PASSWORD ${escapeLiteral(password)}`);
		await client.query(`CREATE DATABASE ${identifier} OWNER ${identifier}`);
	});
	return {
		owner: { ...admin, database: name, user: name, password },
		superuser: { ...admin, database: name },
		drop: () =>
			withClient(admin, session, async (client) => {
				await client.query(`DROP DATABASE IF EXISTS ${identifier} WITH (FORCE)`);
				await client.query(`DROP ROLE IF EXISTS ${identifier}`);
			}),
	};
}
