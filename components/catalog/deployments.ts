import type { ClientBase } from "pg";
import { ENDED, MOMENT, type NewStage } from "./stages";

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

/** Opens a deployment as running, with the stages that it will go through, in their order. Returns its id. */
export async function openDeployment(
	client: ClientBase,
	deployment: NewDeployment,
	stages: readonly NewStage[] = [],
): Promise<number> {
	const { rows } = await client.query(
		`WITH opened AS (
			INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment, status, started_at,
				triggered_by, git_commit_hash, git_branch, deployment_config)
			VALUES ($1, $2, $3, 'running', clock_timestamp(), $4, $5, $6, $7) RETURNING id
		), stages AS (
			INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type, stage_config)
			SELECT opened.id, stage ->> 'name', position, stage ->> 'type', stage -> 'config'
			FROM opened, jsonb_array_elements($8::jsonb) WITH ORDINALITY AS planned (stage, position)
		)
		SELECT id FROM opened`,
		[
			deployment.pipelineName,
			deployment.release,
			deployment.environment,
			deployment.triggeredBy,
			deployment.gitCommit ?? null,
			deployment.gitBranch ?? null,
			JSON.stringify(deployment.config),
			JSON.stringify(stages),
		],
	);
	return Number(rows[0].id);
}

/**
 * Closes a deployment that is still open, or says of one that has failed that it is rolled back. Stages that it had
 * nothing to do for are skipped. A deployment that was closed already with the same status is left alone, so that an
 * interrupted update may close it again.
 *
 * @throws Error when there is no such deployment, or it was closed with another status.
 */
export async function closeDeployment(
	client: ClientBase,
	id: number,
	outcome: { status: FinalDeploymentStatus; error?: string },
): Promise<void> {
	const closed = await client.query(
		`WITH ${MOMENT}, closed AS (
			UPDATE deployment_pipelines
			SET status = $2, completed_at = moment.at, error_message = coalesce($3, error_message)
			FROM moment
			WHERE id = $1 AND (status IN ('pending', 'running') OR (status = 'failed' AND $2 = 'rolled_back'))
			RETURNING id
		), done AS (
			UPDATE deployment_stages SET status = 'completed', ${ENDED}
			FROM moment, closed WHERE pipeline_id = closed.id AND deployment_stages.status = 'running' AND $2 = 'completed'
		), skipped AS (
			UPDATE deployment_stages SET status = 'skipped'
			FROM closed WHERE pipeline_id = closed.id AND deployment_stages.status = 'pending'
		)
		SELECT id FROM closed`,
		[id, outcome.status, outcome.error ?? null],
	);
	if (closed.rowCount === 1) return;
	const { rows } = await client.query("SELECT status FROM deployment_pipelines WHERE id = $1", [id]);
	if (rows[0]?.status === outcome.status) return;
	const found = rows[0] ? `it is ${rows[0].status} already` : "the catalog does not have it";
	throw new Error(`deployment ${id} cannot be closed as ${outcome.status}: ${found}`);
}

/** A deployment whose update did not come to its end. */
export interface AbandonedDeployment {
	id: number;
	release: string;
	/** The stage that it was in. */
	stage?: string;
}

/**
 * Closes the environment's deployments whose owner is gone, as failed with the error `interrupted`: the stage under way
 * has failed, those still to come are skipped. Call it while holding whatever makes sure that no other deployment of the
 * environment is under way, and before opening a new one. Returns them, oldest first.
 */
export async function closeAbandoned(
	client: ClientBase,
	environment: EnvironmentType,
): Promise<AbandonedDeployment[]> {
	const { rows } = await client.query(
		`WITH ${MOMENT}, closed AS (
			UPDATE deployment_pipelines
			SET status = 'failed', started_at = coalesce(started_at, moment.at), completed_at = moment.at,
				error_message = 'interrupted'
			FROM moment
			WHERE environment = $1 AND status IN ('pending', 'running') RETURNING id, pipeline_version
		), own AS (
			SELECT id FROM deployment_pipelines WHERE environment = $1
		), interrupted AS (
			UPDATE deployment_stages SET status = 'failed', ${ENDED}, error_message = 'interrupted'
			FROM moment, own WHERE pipeline_id = own.id AND status = 'running' RETURNING pipeline_id, stage_name
		), skipped AS (
			UPDATE deployment_stages SET status = 'skipped' FROM own WHERE pipeline_id = own.id AND status = 'pending'
		), rollbacks AS (
			UPDATE deployment_rollbacks
			SET rollback_status = 'failed', completed_at = moment.at, error_message = 'interrupted'
			FROM moment, own WHERE pipeline_id = own.id AND rollback_status IN ('pending', 'running')
		)
		SELECT closed.id, closed.pipeline_version AS release, min(stage_name) AS stage
		FROM closed LEFT JOIN interrupted ON pipeline_id = closed.id
		GROUP BY closed.id, closed.pipeline_version ORDER BY closed.id`,
		[environment],
	);
	return rows.map(({ id, release, stage }) => ({
		id: Number(id),
		release,
		...(stage !== null && { stage }),
	}));
}

/**
 * Whether anything of an environment's deployments is not closed: a deployment, a stage or a rollback that is under way,
 * or whose owner is gone.
 */
export async function hasOpenDeployment(client: ClientBase, environment: EnvironmentType): Promise<boolean> {
	const { rows } = await client.query<{ open: boolean }>(
		`SELECT EXISTS (SELECT FROM deployment_pipelines WHERE environment = $1 AND status IN ('pending', 'running'))
			OR EXISTS (SELECT FROM deployment_stages AS stage JOIN deployment_pipelines AS own ON own.id = pipeline_id
				WHERE environment = $1 AND stage.status = 'running')
			OR EXISTS (SELECT FROM deployment_rollbacks JOIN deployment_pipelines AS own ON own.id = pipeline_id
				WHERE environment = $1 AND rollback_status IN ('pending', 'running')) AS open`,
		[environment],
	);
	return rows[0]?.open ?? false;
}

/** The release of the last deployment of the same environment that succeeded before this one; undefined before the first. */
export async function releaseBefore(client: ClientBase, id: number): Promise<string | undefined> {
	const { rows } = await client.query(
		`SELECT earlier.pipeline_version AS release FROM deployment_pipelines AS own
		JOIN deployment_pipelines AS earlier ON earlier.environment = own.environment AND earlier.id < own.id
		WHERE own.id = $1 AND earlier.status = 'completed' ORDER BY earlier.id DESC LIMIT 1`,
		[id],
	);
	return rows[0]?.release;
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
