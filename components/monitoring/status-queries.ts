import type { ClientBase, QueryResultRow } from "pg";

/** What {@link readDeploymentStatus} asks the catalog, one function a question; the rows are parsed there. */

const LATEST = 10;
/** Rows of health checks that are looked through for the newest of each. */
const RECENT_CHECKS = 500;

async function rowsOf(client: ClientBase, sql: string, values: unknown[] = []): Promise<QueryResultRow[]> {
	return (await client.query(sql, values)).rows;
}

/** The stack's own row. */
export async function environmentRow(client: ClientBase): Promise<QueryResultRow | undefined> {
	const rows = await rowsOf(
		client,
		`SELECT environment_name AS stack, environment_type AS type, config_data ->> 'strategy' AS strategy,
			config_data ->> 'platform' AS platform, monitoring_enabled AS monitoring, alerting_enabled AS alerting
		FROM environment_configs WHERE is_active ORDER BY id DESC LIMIT 1`,
	);
	return rows[0];
}

/** Who has the requests, where there are colours. */
export async function trafficRow(client: ClientBase): Promise<QueryResultRow | null> {
	const rows = await rowsOf(
		client,
		`SELECT current_active AS live, deployment_status AS status, switch_started_at AS "switchStartedAt",
			switch_completed_at AS "switchCompletedAt", rollback_triggered AS "rollbackTriggered"
		FROM blue_green_deployments ORDER BY id DESC LIMIT 1`,
	);
	return rows[0] ?? null;
}

/** Both colours' databases, those in use only. */
const COLOR_DATABASES = `
	SELECT color, color = current_active AS is_live, database, host, port
	FROM (SELECT * FROM blue_green_deployments ORDER BY id DESC LIMIT 1) AS newest
	CROSS JOIN LATERAL (VALUES
		('blue', blue_database_name, blue_database_host, blue_database_port),
		('green', green_database_name, green_database_host, green_database_port)
	) AS each_color (color, database, host, port)
	WHERE database IS NOT NULL`;

/** The colours that have a database, the live one first. */
export function colorRows(client: ClientBase): Promise<QueryResultRow[]> {
	return rowsOf(
		client,
		`SELECT color, is_live AS "isLive", substring(database FROM '\\d+$') AS generation, release, database, host, port
		FROM (${COLOR_DATABASES}) AS colors LEFT JOIN color_releases ON database_name = database
		ORDER BY is_live DESC`,
	);
}

/** The release of the last deployment that succeeded. */
export async function releaseRow(client: ClientBase): Promise<QueryResultRow | undefined> {
	const rows = await rowsOf(
		client,
		`SELECT pipeline_version AS release FROM deployment_pipelines
		WHERE status = 'completed' ORDER BY id DESC LIMIT 1`,
	);
	return rows[0];
}

/** The migrations of the databases in use, in their order. */
export function migrationRows(client: ClientBase): Promise<QueryResultRow[]> {
	return rowsOf(
		client,
		`SELECT target_database AS database, migration_version AS version, migration_name AS name, migration_type AS type,
			status, is_applied AS "isApplied", applied_at AS "appliedAt", execution_time_ms AS "durationMs",
			error_message AS error
		FROM deployment_migrations
		WHERE target_database IN (SELECT database FROM (${COLOR_DATABASES}) AS colors
			UNION ALL SELECT database_name FROM environment_configs WHERE is_active)
		ORDER BY target_database, string_to_array(migration_version, '.')::integer[]`,
	);
}

/** The last deployments, newest first. */
export function deploymentRows(client: ClientBase): Promise<QueryResultRow[]> {
	return rowsOf(
		client,
		`SELECT deployment.id, deployment.pipeline_name AS name, deployment.pipeline_version AS release,
			deployment.environment, deployment.status, deployment.triggered_by AS "triggeredBy",
			deployment.git_commit_hash AS commit, deployment.git_branch AS branch,
			deployment.started_at AS "startedAt", deployment.completed_at AS "completedAt",
			extract(epoch FROM coalesce(deployment.completed_at, now()) - deployment.started_at) AS seconds,
			performance_category AS performance, deployment.error_message AS error
		FROM (SELECT * FROM deployment_pipelines ORDER BY id DESC LIMIT $1) AS deployment
			LEFT JOIN deployment_performance ON pipeline_id = deployment.id
		ORDER BY deployment.id DESC`,
		[LATEST],
	);
}

/** The stages of deployments, in their order. */
export function stageRows(client: ClientBase, deploymentIds: readonly number[]): Promise<QueryResultRow[]> {
	return rowsOf(
		client,
		`SELECT pipeline_id AS "deploymentId", stage_name AS name, stage_order AS order, stage_type AS type, status,
			started_at AS "startedAt", completed_at AS "completedAt", duration_ms AS "durationMs",
			stage_output AS output, error_message AS error
		FROM deployment_stages WHERE pipeline_id = ANY ($1::bigint[]) ORDER BY pipeline_id, stage_order`,
		[deploymentIds],
	);
}

/** The last rollbacks, newest first. */
export function rollbackRows(client: ClientBase): Promise<QueryResultRow[]> {
	return rowsOf(
		client,
		`SELECT id, pipeline_id AS "deploymentId", rollback_type AS type, rollback_reason AS reason,
			previous_version AS from, target_version AS to, rollback_status AS status, started_at AS "startedAt",
			completed_at AS "completedAt", error_message AS error
		FROM deployment_rollbacks ORDER BY started_at DESC, id DESC LIMIT $1`,
		[LATEST],
	);
}

/** The newest result of each check of each colour. */
export function healthCheckRows(client: ClientBase): Promise<QueryResultRow[]> {
	return rowsOf(
		client,
		`SELECT DISTINCT ON (color, check_name) color, check_name AS check, status, figure, unit, detail,
			checked_at AS "checkedAt"
		FROM (SELECT * FROM deployment_health_checks ORDER BY id DESC LIMIT $1) AS recent
		ORDER BY color, check_name, checked_at DESC, id DESC`,
		[RECENT_CHECKS],
	);
}
