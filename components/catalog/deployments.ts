import type { ClientBase } from "pg";

export type EnvironmentType = "development" | "staging" | "production";
export type DeploymentStatus = "pending" | "running" | "completed" | "failed" | "rolled_back";
export type FinalDeploymentStatus = Extract<DeploymentStatus, "completed" | "failed" | "rolled_back">;

export interface NewDeployment {
	pipelineName: string;
	/** The release that is deployed. */
	release: string;
	environment: EnvironmentType;
	triggeredBy: string;
	gitCommit?: string;
	gitBranch?: string;
	/** What it was started with; nothing secret. */
	config: Record<string, unknown>;
}

export interface Deployment extends NewDeployment {
	id: number;
	status: DeploymentStatus;
	startedAt?: Date;
	completedAt?: Date;
	error?: string;
}

/** Opens a deployment as running. Returns its id. */
export async function openDeployment(client: ClientBase, deployment: NewDeployment): Promise<number> {
	const { rows } = await client.query(
		`INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment, status, started_at,
			triggered_by, git_commit_hash, git_branch, deployment_config)
		VALUES ($1, $2, $3, 'running', now(), $4, $5, $6, $7) RETURNING id`,
		[
			deployment.pipelineName,
			deployment.release,
			deployment.environment,
			deployment.triggeredBy,
			deployment.gitCommit ?? null,
			deployment.gitBranch ?? null,
			JSON.stringify(deployment.config),
		],
	);
	return Number(rows[0].id);
}

/**
 * Closes a deployment that is still open. A deployment that was closed already with the same status is left alone, so
 * that an interrupted update may close it again.
 *
 * @throws Error when there is no such deployment, or it was closed with another status.
 */
export async function closeDeployment(
	client: ClientBase,
	id: number,
	outcome: { status: FinalDeploymentStatus; error?: string },
): Promise<void> {
	const closed = await client.query(
		`UPDATE deployment_pipelines SET status = $2, completed_at = clock_timestamp(), error_message = $3
		WHERE id = $1 AND status IN ('pending', 'running')`,
		[id, outcome.status, outcome.error ?? null],
	);
	if (closed.rowCount === 1) return;
	const { rows } = await client.query("SELECT status FROM deployment_pipelines WHERE id = $1", [id]);
	if (rows[0]?.status === outcome.status) return;
	const found = rows[0] ? `it is ${rows[0].status} already` : "the catalog does not have it";
	throw new Error(`deployment ${id} cannot be closed as ${outcome.status}: ${found}`);
}

/**
 * Closes the environment's deployments whose owner is gone, as failed with the error `interrupted`. Call it while
 * holding whatever makes sure that no other deployment of the environment is under way, and before opening a new one.
 * Returns their ids, oldest first.
 */
export async function closeAbandoned(client: ClientBase, environment: EnvironmentType): Promise<number[]> {
	const { rows } = await client.query(
		`WITH closed AS (
			UPDATE deployment_pipelines
			SET status = 'failed', started_at = coalesce(started_at, now()), completed_at = clock_timestamp(),
				error_message = 'interrupted'
			WHERE environment = $1 AND status IN ('pending', 'running') RETURNING id
		), stages AS (
			UPDATE deployment_stages SET status = 'failed', completed_at = clock_timestamp(), error_message = 'interrupted'
			FROM closed WHERE pipeline_id = closed.id AND status = 'running'
		), rollbacks AS (
			UPDATE deployment_rollbacks
			SET rollback_status = 'failed', completed_at = clock_timestamp(), error_message = 'interrupted'
			FROM closed WHERE pipeline_id = closed.id AND rollback_status IN ('pending', 'running')
		)
		SELECT id FROM closed ORDER BY id`,
		[environment],
	);
	return rows.map((row) => Number(row.id));
}

/** Whether a deployment of an environment is not closed: one that is under way, or one whose owner is gone. */
export async function hasOpenDeployment(client: ClientBase, environment: EnvironmentType): Promise<boolean> {
	const { rows } = await client.query(
		"SELECT FROM deployment_pipelines WHERE environment = $1 AND status IN ('pending', 'running') LIMIT 1",
		[environment],
	);
	return rows.length > 0;
}

/** The newest deployments of an environment, newest first. */
export async function latestDeployments(
	client: ClientBase,
	environment: EnvironmentType,
	limit: number,
): Promise<Deployment[]> {
	const { rows } = await client.query(
		`SELECT id, pipeline_name, pipeline_version, environment, status, started_at, completed_at, triggered_by,
			git_commit_hash, git_branch, deployment_config, error_message
		FROM deployment_pipelines WHERE environment = $1 ORDER BY id DESC LIMIT $2`,
		[environment, limit],
	);
	return rows.map((row) => ({
		id: Number(row.id),
		pipelineName: row.pipeline_name,
		release: row.pipeline_version,
		environment: row.environment,
		status: row.status,
		startedAt: row.started_at ?? undefined,
		completedAt: row.completed_at ?? undefined,
		triggeredBy: row.triggered_by ?? "",
		gitCommit: row.git_commit_hash ?? undefined,
		gitBranch: row.git_branch ?? undefined,
		config: row.deployment_config,
		error: row.error_message ?? undefined,
	}));
}
