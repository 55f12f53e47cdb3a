import type { Connection } from "../../components/database/connection";
import { withClient } from "../../components/database/connection";
import { Program } from "./program";

const MIGRATIONS = [
	[
		"1.0.0",
		`CREATE TABLE cameras (
			id SERIAL PRIMARY KEY,
			camera_name VARCHAR(100) NOT NULL,
			location VARCHAR(255),
			status VARCHAR(20) DEFAULT 'active',
			created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP
		)`,
	],
	["1.1.0", "ALTER TABLE cameras ADD COLUMN metadata JSONB DEFAULT '{}'::JSONB"],
	[
		"1.2.0",
		`CREATE TABLE counting_results (
			id SERIAL PRIMARY KEY,
			camera_id INTEGER REFERENCES cameras(id),
			count_type VARCHAR(50) NOT NULL,
			count_value INTEGER NOT NULL,
			confidence_score DECIMAL(5,4),
			created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP
		)`,
	],
	["1.3.0", "CREATE INDEX idx_counting_results_camera_time ON counting_results (camera_id, created_at DESC)"],
	[
		"1.4.0",
		"CREATE TABLE ingested_batches (job_id UUID PRIMARY KEY, ingested_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP)",
	],
] as const;

/** Brings an empty database to a schema version, with the view that tells it. */
export async function createSchema(owner: Connection, version: string): Promise<void> {
	const last = MIGRATIONS.findIndex(([found]) => found === version);
	await withClient(owner, { applicationName: "test" }, async (client) => {
		await client.query("CREATE SCHEMA deployment");
		for (const [, sql] of MIGRATIONS.slice(0, last + 1)) {
			await client.query(sql);
		}
	});
	await setSchemaVersion(owner, version);
}

/** Makes the view say `version`, whatever the tables are. */
export async function setSchemaVersion(owner: Connection, version: string): Promise<void> {
	await withClient(owner, { applicationName: "test" }, (client) =>
		client.query(
			`CREATE OR REPLACE VIEW deployment.schema_version AS SELECT '${version}'::TEXT AS version, 4 AS migrations`,
		),
	);
}

/** The environment of a service on `database`; `overrides` win. */
export function serviceEnvironment(
	database: Connection,
	overrides: Record<string, string> = {},
): Record<string, string> {
	return {
		PORT: "0",
		RELEASE: "1.3.0",
		REQUIRED_SCHEMA: "1.3.0",
		PGHOST: database.host,
		PGPORT: String(database.port),
		PGDATABASE: database.database,
		PGUSER: database.user,
		PGPASSWORD: database.password,
		PGSSLMODE: database.sslMode,
		...overrides,
	};
}

/** What tells a service where its queue is. */
export function queueEnvironment(queue: Connection): Record<string, string> {
	return {
		QUEUE_PGHOST: queue.host,
		QUEUE_PGPORT: String(queue.port),
		QUEUE_PGDATABASE: queue.database,
		QUEUE_PGUSER: queue.user,
		QUEUE_PGPASSWORD: queue.password,
		QUEUE_PGSSLMODE: queue.sslMode,
	};
}

export interface Answer {
	status: number;
	headers: Headers;
	body: unknown;
}

/** One running service process and how to talk to it. */
export class RunningService {
	private constructor(
		readonly program: Program,
		readonly url: string,
	) {}

	static async start(database: Connection, overrides: Record<string, string> = {}): Promise<RunningService> {
		const program = Program.start("service/main.ts", [], serviceEnvironment(database, overrides));
		const [, url] = await program.waitFor(/listening at (http:[^"]+)/);
		return new RunningService(program, url!);
	}

	async call(
		method: string,
		path: string,
		body?: unknown,
		headers: Record<string, string> = {},
	): Promise<Answer> {
		const response = await fetch(this.url + path, {
			method,
			signal: AbortSignal.timeout(20_000),
			...(body !== undefined && {
				body: typeof body === "string" ? body : JSON.stringify(body),
				headers: { "content-type": "application/json", ...headers },
			}),
		});
		const text = await response.text();
		return {
			status: response.status,
			headers: response.headers,
			body: text === "" ? null : JSON.parse(text),
		};
	}

	stop(signal?: NodeJS.Signals): Promise<number | null> {
		return this.program.stop(signal);
	}
}
