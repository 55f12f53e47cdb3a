import type { Client } from "pg";
import { noteColor, noteLive } from "../../components/catalog/blue-green";
import { announceMigrations, writeSteps } from "../../components/catalog/migrations";
import type { DashboardBench } from "./bench";

const MIGRATIONS = [
	["1.0.0", "create_cameras", "schema"],
	["1.1.0", "create_counting_results", "schema"],
	["1.2.0", "add_performance_indexes", "index"],
	["1.3.0", "backfill_daily_totals", "data"],
] as const;

const OUTCOMES = ["completed", "completed", "failed", "completed", "rolled_back", "completed"] as const;

/** A catalog after a month of releases: `green-2` is live, `blue-1` follows it. */
export async function fillCatalog(bench: DashboardBench): Promise<void> {
	const { client } = bench;
	await pastDeployments(client, 24);
	const outcome = { status: "completed" as const, rollback: false, health: [] };
	for (const [color, generation, release] of [
		["blue", 1, "1.2.0"],
		["green", 2, "1.3.0"],
	] as const) {
		const node = bench.node(color, generation);
		await noteColor(client, "staging", node, release, "deploying");
		await noteLive(client, node, outcome);
		await applied(client, node.admin.database, color === "blue" ? 3 : 4);
	}
	await pastRollbacks(client);
	await checks(client);
}

async function pastDeployments(client: Client, count: number): Promise<void> {
	for (let index = 0; index < count; index++) {
		const status = OUTCOMES[index % OUTCOMES.length]!;
		await client.query(
			`INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment, status, started_at, completed_at,
				triggered_by, git_commit_hash, git_branch, error_message, created_at)
			SELECT 'counting', $1, 'staging', $2, begun, begun + $3 * interval '1 second', 'operator', $4, 'main', $5, begun
			FROM (SELECT now() - $6 * interval '1 hour' AS begun) AS at`,
			[
				`1.${Math.floor(index / 8)}.${index % 8}`,
				status,
				40 + ((index * 37) % 150),
				"1f0e3dad99908345f7439f8ffabdffc4b2c9a1d0",
				status === "completed" ? null : "service green-2 is not healthy after 30 s: /readyz answered 503",
				(count - index) * 28,
			],
		);
	}
}

async function applied(client: Client, database: string, count: number): Promise<void> {
	const wanted = MIGRATIONS.slice(0, count).map(([version, name, type]) => ({
		version,
		name,
		type,
		sql: "SELECT",
		rollbackSql: null,
		dependsOn: [],
		checksum: "0".repeat(64),
	}));
	const ids = await announceMigrations(client, database, wanted);
	const { rows } = await client.query("SELECT max(id)::integer AS id FROM deployment_pipelines");
	const at = new Date();
	await writeSteps(
		client,
		[...ids.values()].map((migrationId, index) => ({
			migrationId,
			deploymentId: rows[0].id,
			step: "migration_apply",
			stepStatus: "completed" as const,
			at,
			durationMs: 12 + 90 * index,
			migration: {
				status: "completed" as const,
				isApplied: true,
				appliedAt: at,
				appliedBy: "operator",
				durationMs: 12 + 90 * index,
			},
		})),
	);
}

async function pastRollbacks(client: Client): Promise<void> {
	const steps = [
		{ step: "guard", status: "completed", durationMs: 12.4 },
		{ step: "close", status: "completed", durationMs: 3.1 },
		{ step: "last write", status: "completed", durationMs: 2.2 },
		{ step: "route", status: "completed", durationMs: 4 },
	];
	await client.query(
		`INSERT INTO deployment_rollbacks (pipeline_id, rollback_reason, rollback_type, previous_version, target_version,
			rollback_status, started_at, completed_at, rollback_steps, error_message)
		SELECT id, reason, type, pipeline_version, '1.2.0', outcome, started_at, started_at + interval '420 ms', $1, error
		FROM (SELECT *, row_number() OVER (ORDER BY id) AS nth FROM deployment_pipelines WHERE status = 'rolled_back') AS gone
			JOIN (VALUES
				(1, 'the release was put back to 1.2.0', 'manual', 'completed', NULL),
				(2, '4.2% of 1180 requests failed within 30 s, above bakeMaxErrorPercent 1', 'health_check_failure', 'completed', NULL),
				(3, 'migrations: column "kind" of relation "cameras" does not exist', 'automatic', 'failed', 'lock not available')
			) AS told (nth, reason, type, outcome, error) USING (nth)`,
		[JSON.stringify(steps)],
	);
}

async function checks(client: Client): Promise<void> {
	await client.query(
		`INSERT INTO deployment_health_checks (environment, color, check_name, status, figure, unit, detail)
		VALUES
			('staging', 'green', 'database_connectivity', 'PASS', 1.8, 'ms', 'answered a query, 12 of 40 connections in use'),
			('staging', 'green', 'api_endpoints', 'PASS', 6.4, 'ms', '/healthz, /readyz and /version'),
			('staging', 'green', 'performance', 'WARNING', 231.7, 'ms', 'slowest mean of a statement: SELECT … FROM counting_results'),
			('staging', 'green', 'replication_lag', 'PASS', 0, 'bytes', 'blue-1 follows green-2'),
			('staging', 'green', 'connections', 'PASS', 30, '%', '12 of 40'),
			('staging', 'green', 'migrations', 'PASS', 4, 'migrations', 'as the release wants them'),
			('staging', 'blue', 'database_connectivity', 'FAIL', NULL, NULL, 'cannot connect to 127.0.0.1:5432')`,
	);
}
