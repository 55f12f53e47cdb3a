import type { ClientBase } from "pg";

export type StageType = "build" | "test" | "deploy" | "validate" | "rollback";
export type StageStatus = "pending" | "running" | "completed" | "failed" | "skipped";

/** A stage that a deployment will go through. */
export interface NewStage {
	name: string;
	type: StageType;
	/** What it runs with; nothing secret. */
	config: Record<string, unknown>;
}

/** A stage of a deployment as the catalog has it. */
export interface RecordedStage extends NewStage {
	status: StageStatus;
	startedAt?: Date;
	completedAt?: Date;
	durationMs?: number;
	/** The end of what it said. */
	output?: string;
	error?: string;
}

/** The stage that a rollback is recorded as. */
export const ROLLBACK_STAGE = "Rollback";

/** How much of a stage's output is kept, in characters: the end of it. */
export const OUTPUT_LENGTH = 65_536;

/** Sets a column list of a stage that ends at the `moment` of the statement. */
export const ENDED = `completed_at = moment.at,
	duration_ms = greatest(0, round(extract(epoch FROM moment.at - coalesce(started_at, moment.at)) * 1000))::bigint`;

/** One moment for all rows of a statement: the time of day goes on while it runs. */
export const MOMENT = "moment AS MATERIALIZED (SELECT clock_timestamp() AS at)";

/** The output of a stage with more of it, which is a parameter of the statement. */
export function appended(parameter: string): string {
	return `stage_output = right(nullif(concat_ws(E'\\n', stage_output, nullif(${parameter}::text, '')), ''), ${OUTPUT_LENGTH})`;
}

/**
 * Writes down that a stage runs. Several steps of an update may belong to one stage, which then began with the first. A
 * stage that was not foreseen is added at the end.
 */
export async function startStage(
	client: ClientBase,
	deploymentId: number,
	{ name, type }: Pick<NewStage, "name" | "type">,
): Promise<void> {
	await client.query(
		`WITH entered AS (
			UPDATE deployment_stages SET status = 'running', started_at = coalesce(started_at, clock_timestamp()),
				completed_at = NULL, duration_ms = NULL, error_message = NULL
			WHERE pipeline_id = $1 AND stage_name = $2 RETURNING id
		)
		INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type, status, started_at)
		SELECT $1, $2, coalesce((SELECT max(stage_order) FROM deployment_stages WHERE pipeline_id = $1), 0) + 1, $3,
			'running', clock_timestamp()
		WHERE NOT EXISTS (SELECT FROM entered)`,
		[deploymentId, name, type],
	);
}

/** Adds to what a stage that runs has said. */
export async function addStageOutput(
	client: ClientBase,
	deploymentId: number,
	name: string,
	text: string,
): Promise<void> {
	await client.query(
		`UPDATE deployment_stages SET ${appended("$3")} WHERE pipeline_id = $1 AND stage_name = $2`,
		[deploymentId, name, text],
	);
}

/** Writes down that a stage that runs is done; one that has failed meanwhile stays so. */
export async function completeStage(
	client: ClientBase,
	deploymentId: number,
	name: string,
	output: string,
): Promise<void> {
	await client.query(
		`WITH ${MOMENT}
		UPDATE deployment_stages SET status = 'completed', ${ENDED}, ${appended("$3")}
		FROM moment WHERE pipeline_id = $1 AND stage_name = $2 AND status = 'running'`,
		[deploymentId, name, output],
	);
}

/** In one step: the stage has failed, those that were still to come are skipped, and the deployment has failed. */
export async function failStage(
	client: ClientBase,
	deploymentId: number,
	stage: { name: string; error: string; output: string },
	deploymentError: string,
): Promise<void> {
	await client.query(
		`WITH ${MOMENT}, failed AS (
			UPDATE deployment_stages
			SET status = 'failed', started_at = coalesce(started_at, moment.at), error_message = $3, ${ENDED}, ${appended("$4")}
			FROM moment WHERE pipeline_id = $1 AND stage_name = $2
		), skipped AS (
			UPDATE deployment_stages SET status = 'skipped'
			WHERE pipeline_id = $1 AND stage_name <> $2 AND status = 'pending'
		)
		UPDATE deployment_pipelines SET status = 'failed', completed_at = moment.at, error_message = $5
		FROM moment WHERE id = $1 AND status IN ('pending', 'running')`,
		[deploymentId, stage.name, stage.error, stage.output, deploymentError],
	);
}

/** The stages of a deployment, in their order. */
export async function stagesOf(client: ClientBase, deploymentId: number): Promise<RecordedStage[]> {
	const { rows } = await client.query(
		`SELECT stage_name, stage_type, status, started_at, completed_at, duration_ms, stage_config, stage_output,
			error_message
		FROM deployment_stages WHERE pipeline_id = $1 ORDER BY stage_order`,
		[deploymentId],
	);
	return rows.map((row) => ({
		name: row.stage_name,
		type: row.stage_type,
		config: row.stage_config,
		status: row.status,
		...(row.started_at !== null && { startedAt: row.started_at }),
		...(row.completed_at !== null && { completedAt: row.completed_at }),
		...(row.duration_ms !== null && { durationMs: Number(row.duration_ms) }),
		...(row.stage_output !== null && { output: row.stage_output }),
		...(row.error_message !== null && { error: row.error_message }),
	}));
}
