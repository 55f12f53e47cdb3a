import { randomBytes } from "node:crypto";
import { chmodSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { escapeIdentifier, escapeLiteral } from "pg";
import { openDeployment } from "../../components/catalog/deployments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, withClient } from "../../components/database/connection";
import { ensureServer, superuserConnection } from "../../components/database/local/server";
import { loadMigrations } from "../../components/migrations/files";
import type { MigrationSettings } from "../../components/migrations/options";
import { migrate } from "../../components/migrations/run";
import { type ColorServers, nodeOf } from "../../components/replication/environment";
import type { Node } from "../../components/replication/node";
import { type InStepOptions, putInStep } from "../../components/replication/put-in-step";

const BASE = "counting_bench";
const REPLICATION_USER = "bench_replication";
const MAX_CONNECTIONS = 100;
const SESSION = { applicationName: "bench" };
const DEPLOYMENT = { deploymentId: 1, appliedBy: "bench" };

const MIGRATIONS: MigrationSettings = {
	lockTimeoutMs: 1000,
	lockRetries: 10,
	statementTimeoutMs: 60_000,
	advisoryLockTimeoutMs: 10_000,
	allowOutOfOrder: false,
};

/** A colour's database and the roles that use it. */
export interface ColorDatabase {
	node: Node;
	owner: Connection;
	application: Connection;
}

export interface ColorDatabases {
	servers: ColorServers;
	catalog: Connection;
	migrationsDirectory: string;
	backupDirectory: string;
	/** Colours made so far. */
	generations: number;
}

/** Brings up one server for both colours, or one for each, with an empty catalog. */
export async function startServers(directory: string, count: 1 | 2): Promise<ColorDatabases> {
	// For PostgreSQL's own account, when root runs the benchmark.
	chmodSync(directory, 0o755);
	const blue = await startServer(join(directory, "blue"));
	const green = count === 1 ? blue : await startServer(join(directory, "green"));
	const catalog = { ...blue, database: "catalog" };
	await query(blue, "CREATE DATABASE catalog");
	await withClient(catalog, SESSION, async (client) => {
		await upgradeCatalog(client);
		await openDeployment(client, {
			pipelineName: "bench",
			release: "1.3.0",
			environment: "development",
			triggeredBy: "bench",
			config: {},
		});
	});
	const replicationPassword = randomBytes(12).toString("hex");
	for (const server of count === 1 ? [blue] : [blue, green]) {
		await query(
			server,
			`CREATE ROLE ${REPLICATION_USER} LOGIN REPLICATION IN ROLE pg_read_all_data PASSWORD ${escapeLiteral(replicationPassword)}`,
		);
	}
	const migrationsDirectory = join(directory, "migrations");
	for (const source of [join(__dirname, "../../migrations"), join(__dirname, "migrations")]) {
		cpSync(source, migrationsDirectory, { recursive: true });
	}
	return {
		servers: { base: BASE, blue, green, replicationUser: REPLICATION_USER, replicationPassword },
		catalog,
		migrationsDirectory,
		backupDirectory: join(directory, "backups"),
		generations: 0,
	};
}

async function startServer(directory: string): Promise<Connection> {
	mkdirSync(directory, { mode: 0o755 });
	const password = randomBytes(12).toString("hex");
	const { port } = await ensureServer({
		directory,
		password,
		maxConnections: MAX_CONNECTIONS,
		timeoutSeconds: 60,
	});
	return superuserConnection(port, password);
}

/** An empty database for a colour, with an owner and a role for the application as the stack makes them. */
export async function makeColor(databases: ColorDatabases, color: Node["color"]): Promise<ColorDatabase> {
	const node = nodeOf(databases.servers, color, ++databases.generations);
	const { database } = node.admin;
	const application = `${database}_app`;
	const password = randomBytes(12).toString("hex");
	const [owner, app, name] = [node.owner, application, database].map(escapeIdentifier);
	await query(
		databases.servers[color],
		`CREATE ROLE ${owner} LOGIN PASSWORD ${escapeLiteral(password)}`,
		`CREATE ROLE ${app} LOGIN PASSWORD ${escapeLiteral(password)}`,
		`CREATE DATABASE ${name} OWNER ${owner}`,
	);
	await query(
		node.admin,
		`GRANT USAGE ON SCHEMA public TO ${app}`,
		`ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${app}`,
		`ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA public GRANT SELECT, USAGE ON SEQUENCES TO ${app}`,
	);
	return {
		node,
		owner: { ...node.admin, user: node.owner, password },
		application: { ...node.admin, user: application, password },
	};
}

/** Gives a colour the project's schema and one camera. */
export async function migrateColor(databases: ColorDatabases, { node, owner }: ColorDatabase): Promise<void> {
	const { catalog, backupDirectory, migrationsDirectory } = databases;
	await migrate({
		...DEPLOYMENT,
		target: owner,
		catalog,
		targetName: node.admin.database,
		wanted: loadMigrations(migrationsDirectory),
		settings: MIGRATIONS,
		backupDirectory,
		log: () => {},
	});
	await query(owner, "INSERT INTO cameras (camera_name) VALUES ('bench')");
}

/** Makes a colour that follows another one; options take the place of those for a database that is nearly empty. */
export async function follow(
	databases: ColorDatabases,
	source: ColorDatabase,
	target: ColorDatabase,
	options: Partial<InStepOptions> = {},
): Promise<void> {
	const { catalog, backupDirectory, migrationsDirectory } = databases;
	await putInStep({
		...DEPLOYMENT,
		source: source.node,
		target: target.node,
		targetOwner: target.owner,
		wanted: loadMigrations(migrationsDirectory),
		catalog,
		backupDirectory,
		migrations: MIGRATIONS,
		workers: 2,
		verification: "counts",
		copyTimeoutMs: 60_000,
		slotTimeoutMs: 30_000,
		catchUpTimeoutMs: 30_000,
		maxLagBytes: 1_048_576,
		log: () => {},
		...options,
	});
}

export async function query(connection: Connection, ...statements: string[]): Promise<void> {
	await withClient(connection, SESSION, async (client) => {
		for (const statement of statements) {
			await client.query(statement);
		}
	});
}
