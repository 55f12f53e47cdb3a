import type { ClientBase } from "pg";

/** A line of the execution log that belongs to no migration. */
export interface ExecutionStep {
	step: string;
	status: "started" | "completed";
	durationMs?: number;
}

/** Adds lines to the execution log, in their order. */
export async function logExecutionSteps(
	client: ClientBase,
	deploymentId: number,
	steps: readonly ExecutionStep[],
): Promise<void> {
	await client.query(
		`INSERT INTO deployment_execution_logs (deployment_id, execution_step, step_status, step_duration_ms)
		SELECT $1, step, status, "durationMs"
		FROM jsonb_to_recordset($2::jsonb) AS taken (step text, status text, "durationMs" bigint)`,
		[deploymentId, JSON.stringify(steps)],
	);
}
