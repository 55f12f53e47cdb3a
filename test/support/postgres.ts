import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escapeIdentifier, escapeLiteral } from "pg";
import { type Connection, withClient } from "../../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../../components/database/local/server";

let server: Promise<Connection> | undefined;
let directory: string | undefined;

/** The superuser's connection to a PostgreSQL server that this test process shares, started on first use. */
export function testServer(): Promise<Connection> {
	server ??= start();
	return server;
}

async function start(): Promise<Connection> {
	directory = mkdtempSync(join(tmpdir(), "counting-test-"));
	// For PostgreSQL's own account, when root runs the tests.
	chmodSync(directory, 0o755);
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

/** Stops and removes the shared server; the root hook calls it after the last test. */
export async function stopTestServer(): Promise<void> {
	if (server === undefined || directory === undefined) {
		return;
	}
	await removeServer(directory, 30);
	rmSync(directory, { recursive: true, force: true });
	server = undefined;
}
