import type { ClientBase } from "pg";
import { appended, ENDED, MOMENT, ROLLBACK_STAGE, startStage } from "./stages";

export type RollbackType = "automatic" | "manual" | "health_check_failure";

export interface NewRollback {
	deploymentId: number;
	type: RollbackType;
	/** Why, in words for the operator. */
	reason: string;
	/** The version that was being deployed or live; undefined when there was none. */
	previousVersion?: string;
	/** The version that is gone back to; undefined when there is none. */
	targetVersion?: string;
}

export interface RollbackStep {
	/** What was done, such as `undo 1.2.0 create_counting_results_table`. */
	step: string;
	status: "completed" | "failed";
	/** Files with the rows that the step destroyed. */
	backups?: string[];
	durationMs?: number;
}

/** Whether a deployment has a rollback on record. */
export async function hasRollback(client: ClientBase, deploymentId: number): Promise<boolean> {
	const { rows } = await client.query("SELECT FROM deployment_rollbacks WHERE pipeline_id = $1 LIMIT 1", [
		deploymentId,
	]);
	return rows.length > 0;
}

/** Opens a rollback as running, and the stage of its deployment that it is. Returns its id. */
export async function startRollback(client: ClientBase, rollback: NewRollback): Promise<number> {
	const { rows } = await client.query(
		`INSERT INTO deployment_rollbacks (pipeline_id, rollback_reason, rollback_type, previous_version,
			target_version, rollback_status)
		VALUES ($1, $2, $3, $4, $5, 'running') RETURNING id`,
		[
			rollback.deploymentId,
			rollback.reason,
			rollback.type,
			rollback.previousVersion ?? null,
			rollback.targetVersion ?? null,
		],
	);
	await startStage(client, rollback.deploymentId, { name: ROLLBACK_STAGE, type: "rollback" });
	return Number(rows[0].id);
}

/**
 * Closes a rollback with its steps; with an error it failed.
 *
 * @throws Error when it is not running.
 */
export async function finishRollback(
	client: ClientBase,
	id: number,
	outcome: { steps: RollbackStep[]; error?: string },
): Promise<void> {
	const status = outcome.error === undefined ? "completed" : "failed";
	const finished = await client.query(
		`WITH ${MOMENT}, finished AS (
			UPDATE deployment_rollbacks
			SET rollback_status = $2, completed_at = moment.at, rollback_steps = $3, error_message = $4
			FROM moment WHERE id = $1 AND rollback_status = 'running' RETURNING pipeline_id
		), stage AS (
			UPDATE deployment_stages SET status = $2, ${ENDED}, error_message = $4, ${appended("$5")}
			FROM moment, finished
			WHERE deployment_stages.pipeline_id = finished.pipeline_id AND stage_name = $6 AND status = 'running'
		)
		SELECT pipeline_id FROM finished`,
		[
			id,
			status,
			JSON.stringify(outcome.steps),
			outcome.error ?? null,
			outcome.steps.map(describeStep).join("\n"),
			ROLLBACK_STAGE,
		],
	);
	if (finished.rowCount !== 1)
		throw new Error(`rollback ${id} cannot be closed: the catalog has no such running one`);
}

function describeStep({ step, status, durationMs, backups = [] }: RollbackStep): string {
	const took = durationMs === undefined ? "" : ` in ${durationMs} ms`;
	return [`${step}: ${status}${took}`, ...backups.map((file) => `  rows saved in ${file}`)].join("\n");
}
