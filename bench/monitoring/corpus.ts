import { randomBytes } from "node:crypto";
import { escapeIdentifier } from "pg";
import { mirrorEnvironment } from "../../components/catalog/environments";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { type Connection, withClient } from "../../components/database/connection";

const SESSION = { applicationName: "bench", statementTimeoutMs: 600_000 };

/** The indexes that monitoring brought. */
const INDEXES = [
	"deployment_pipelines_created",
	"deployment_pipelines_completed",
	"deployment_pipelines_finished",
];

/**
 * Makes a catalog with deployments of three years: of three environments, one in twenty failed or rolled back, each with
 * seven stages, and one in fifty with a rollback.
 *
 * @param indexed without monitoring's own indexes when it is false
 */
export async function makeCatalog(
	admin: Connection,
	deployments: number,
	indexed: boolean,
): Promise<Connection> {
	const database = `bench_${randomBytes(6).toString("hex")}`;
	await withClient(admin, SESSION, (client) => client.query(`CREATE DATABASE ${escapeIdentifier(database)}`));
	const catalog = { ...admin, database };
	await withClient(catalog, SESSION, async (client) => {
		await upgradeCatalog(client);
		await mirrorEnvironment(client, {
			name: "bench",
			type: "production",
			databaseHost: "127.0.0.1",
			databasePort: 5432,
			databaseName: "counting",
			databaseUser: "counting",
			poolSize: 20,
			maxConnections: 200,
			backupSchedule: "hourly",
			monitoring: true,
			alerting: true,
			config: { strategy: "blue-green", platform: "local" },
		});
		await client.query(
			`INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment, status, created_at, started_at,
				completed_at, triggered_by, git_commit_hash, git_branch, deployment_config)
			SELECT 'counting', '1.' || n || '.0', (ARRAY['development', 'staging', 'production'])[n % 3 + 1],
				CASE WHEN n % 40 = 0 THEN 'failed' WHEN n % 40 = 1 THEN 'rolled_back' ELSE 'completed' END,
				at, at, at + n % 1200 * interval '1 second', 'bench', md5(n::text), 'main', '{"lockRetries": 10}'
			FROM (SELECT n, now() - interval '3 years' * ($1::int - n + 1) / $1 - interval '1200 seconds' AS at
				FROM generate_series(1, $1::int) AS n) AS each`,
			[deployments],
		);
		await client.query(
			`INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type, status, started_at, completed_at,
				duration_ms)
			SELECT id, 'stage ' || n, n, 'test', 'completed', started_at, started_at, 0
			FROM deployment_pipelines CROSS JOIN generate_series(1, 7) AS n`,
		);
		await client.query(
			`INSERT INTO deployment_rollbacks (pipeline_id, rollback_reason, rollback_type, rollback_status, started_at,
				completed_at)
			SELECT id, 'bench', 'automatic', 'completed', started_at, started_at
			FROM deployment_pipelines WHERE id % 50 = 0`,
		);
		for (const index of indexed ? [] : INDEXES) {
			await client.query(`DROP INDEX ${escapeIdentifier(index)}`);
		}
		await client.query("VACUUM ANALYZE");
	});
	return catalog;
}
