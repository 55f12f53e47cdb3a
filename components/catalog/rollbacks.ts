import type { ClientBase } from "pg";

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

/** Opens a rollback as running. Returns its id. */
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
	const finished = await client.query(
		`UPDATE deployment_rollbacks
		SET rollback_status = $2, completed_at = clock_timestamp(), rollback_steps = $3, error_message = $4
		WHERE id = $1 AND rollback_status = 'running'`,
		[
			id,
			outcome.error === undefined ? "completed" : "failed",
			JSON.stringify(outcome.steps),
			outcome.error ?? null,
		],
	);
	if (finished.rowCount !== 1)
		throw new Error(`rollback ${id} cannot be closed: the catalog has no such running one`);
}
