import type { ClientBase } from "pg";
import type { PastDeployment, Rollback } from "../state";
import { moment, TEXT_LENGTH } from "./rows";

/** More would be bars thinner than a pixel. */
const MOST_DEPLOYMENTS = 300;
const ROLLBACKS = 10;

interface DeploymentRow {
	id: string;
	pipeline_version: string;
	status: string;
	started_at: Date;
	duration_ms: number | null;
	triggered_by: string | null;
	error_message: string | null;
}

/** The deployments that began within the last 30 days, newest first. */
export async function readDeployments(client: ClientBase, environment: string): Promise<PastDeployment[]> {
	const { rows } = await client.query<DeploymentRow>(
		`SELECT id, pipeline_version, status, started_at,
			(1000 * extract(epoch FROM completed_at - started_at))::float8 AS duration_ms, triggered_by,
			left(error_message, $3) AS error_message
		FROM deployment_pipelines
		WHERE environment = $1 AND started_at > now() - interval '30 days' ORDER BY id DESC LIMIT $2`,
		[environment, MOST_DEPLOYMENTS, TEXT_LENGTH],
	);
	return rows.map((row) => ({
		id: Number(row.id),
		release: row.pipeline_version,
		status: row.status,
		startedAt: row.started_at.toISOString(),
		durationMs: row.duration_ms,
		triggeredBy: row.triggered_by,
		error: row.error_message,
	}));
}

interface RollbackRow {
	id: string;
	pipeline_id: string;
	rollback_type: string;
	rollback_reason: string;
	previous_version: string | null;
	target_version: string | null;
	rollback_status: string;
	started_at: Date;
	completed_at: Date | null;
	error_message: string | null;
	rollback_steps: { step: string; status: string; durationMs?: number; backups?: string[] }[];
}

/** The newest rollbacks of an environment with what they did, newest first. */
export async function readRollbacks(client: ClientBase, environment: string): Promise<Rollback[]> {
	const { rows } = await client.query<RollbackRow>(
		`SELECT rollback.id, pipeline_id, rollback_type, left(rollback_reason, $3) AS rollback_reason, previous_version,
			target_version, rollback_status, rollback.started_at, rollback.completed_at,
			left(rollback.error_message, $3) AS error_message, rollback_steps
		FROM deployment_rollbacks AS rollback JOIN deployment_pipelines AS pipeline ON pipeline.id = pipeline_id
		WHERE environment = $1 ORDER BY rollback.id DESC LIMIT $2`,
		[environment, ROLLBACKS, TEXT_LENGTH],
	);
	return rows.map((row) => ({
		id: Number(row.id),
		pipelineId: Number(row.pipeline_id),
		type: row.rollback_type,
		reason: row.rollback_reason,
		from: row.previous_version,
		to: row.target_version,
		status: row.rollback_status,
		startedAt: row.started_at.toISOString(),
		completedAt: moment(row.completed_at),
		error: row.error_message,
		steps: row.rollback_steps.map(({ step, status, durationMs, backups }) => ({
			step,
			status,
			durationMs: durationMs ?? null,
			backups: backups ?? [],
		})),
	}));
}
