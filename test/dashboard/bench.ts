import { randomBytes } from "node:crypto";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { type EnvironmentMirror, mirrorEnvironment } from "../../components/catalog/environments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, connect, withClient } from "../../components/database/connection";
import type { Color, Node } from "../../components/replication/node";
import { type RunningDashboard, type ServerOptions, startDashboard } from "../../dashboard/server";
import { type TestDatabase, testDatabase } from "../support/postgres";

const SESSION = { applicationName: "dashboard-test" };

const MIRROR: EnvironmentMirror = {
	name: "staging",
	type: "staging",
	databaseHost: "127.0.0.1",
	databasePort: 5432,
	databaseName: "counting_staging",
	databaseUser: "counting_staging_app",
	poolSize: 10,
	maxConnections: 50,
	backupSchedule: "daily",
	monitoring: true,
	alerting: false,
	config: { strategy: "blue-green", platform: "local", release: "1.2.0", logLevel: "info", debugMode: false },
};

/** A catalog of its own with a stack's settings in it, a role that may only read it, and the dashboards on it. */
export class DashboardBench {
	private readonly dashboards: RunningDashboard[] = [];
	private readonly databases: string[] = [];

	private constructor(
		private readonly database: TestDatabase,
		/** As the catalog's owner, as updates write it. */
		readonly client: Client,
		/** May read the catalog and nothing else. */
		readonly reader: Connection,
		/** Begins the names of the colours' databases. */
		readonly base: string,
	) {}

	static async open(): Promise<DashboardBench> {
		const database = await testDatabase();
		const client = await connect(database.owner, SESSION);
		await upgradeCatalog(client);
		await mirrorEnvironment(client, MIRROR);
		const reader = {
			...database.owner,
			user: `${database.owner.database}_reader`,
			password: randomBytes(12).toString("hex"),
		};
		await withClient(database.superuser, SESSION, (superuser) =>
			superuser.query(`CREATE ROLE ${escapeIdentifier(reader.user)} LOGIN PASSWORD ${escapeLiteral(reader.password)};
				GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${escapeIdentifier(reader.user)}`),
		);
		return new DashboardBench(database, client, reader, `bench_${randomBytes(4).toString("hex")}`);
	}

	async start(options: Partial<ServerOptions> = {}): Promise<RunningDashboard> {
		const dashboard = await startDashboard({
			catalog: this.reader,
			stack: "staging",
			environment: "staging",
			host: "127.0.0.1",
			port: 0,
			intervalMs: 20,
			...options,
		});
		this.dashboards.push(dashboard);
		return dashboard;
	}

	/** One generation of a colour, as the catalog's functions take it. */
	node(color: Color, generation: number): Node {
		const database = `${this.base}_${color}_${generation}`;
		const admin = { ...this.database.superuser, database };
		return { base: this.base, color, generation, admin, owner: `${database}_owner`, replication: admin };
	}

	/** Makes the database of a colour on the catalog's server, for what only a real one can have. */
	async createDatabase({ admin }: Node): Promise<void> {
		await this.asSuperuser(`CREATE DATABASE ${escapeIdentifier(admin.database)}`);
		this.databases.push(admin.database);
	}

	async rows<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
		return (await this.client.query<T & Record<string, unknown>>(sql, values)).rows;
	}

	/** Cuts the dashboard off from its catalog, until it is let in again. */
	async letIn(isOpen: boolean): Promise<void> {
		const name = this.database.owner.database;
		const server = { ...this.database.superuser, database: "postgres" };
		await withClient(server, SESSION, async (superuser) => {
			await superuser.query(
				`ALTER ROLE ${escapeIdentifier(this.reader.user)} ${isOpen ? "LOGIN" : "NOLOGIN"}`,
			);
			if (!isOpen) {
				await superuser.query(
					"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = $2",
					[name, this.reader.user],
				);
			}
		});
	}

	/** The connections that dashboards have to the catalog now. */
	async connections(): Promise<number> {
		const rows = await withClient(
			this.database.superuser,
			SESSION,
			async (superuser) =>
				(
					await superuser.query<{ count: number }>(
						"SELECT count(*)::integer FROM pg_stat_activity WHERE usename = $1",
						[this.reader.user],
					)
				).rows,
		);
		return rows[0]!.count;
	}

	async close(): Promise<void> {
		await Promise.all(this.dashboards.map((dashboard) => dashboard.close()));
		await this.client.end();
		for (const name of this.databases) {
			const ends = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1";
			await withClient(this.database.superuser, SESSION, (superuser) => superuser.query(ends, [name]));
			await this.asSuperuser(`DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
		}
		const role = escapeIdentifier(this.reader.user);
		await this.asSuperuser(`DROP OWNED BY ${role}`);
		await this.asSuperuser(`DROP ROLE ${role}`);
		await this.database.drop();
	}

	private asSuperuser(sql: string) {
		return withClient(this.database.superuser, SESSION, (superuser) => superuser.query(sql));
	}
}
