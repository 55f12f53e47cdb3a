import type { ClientBase } from "pg";
import type { Pipeline, Stage, Step } from "../state";
import { moment, TEXT_LENGTH, whole } from "./rows";

interface PipelineRow {
	id: string;
	pipeline_name: string;
	pipeline_version: string;
	status: string;
	started_at: Date | null;
	completed_at: Date | null;
	triggered_by: string | null;
	git_commit_hash: string | null;
	git_branch: string | null;
	error_message: string | null;
}

interface StageRow {
	stage_order: number;
	stage_name: string;
	stage_type: string;
	status: string;
	started_at: Date | null;
	completed_at: Date | null;
	duration_ms: string | null;
	stage_output: string | null;
	error_message: string | null;
}

interface StepRow {
	id: string;
	migration: string | null;
	execution_step: string;
	step_status: string;
	step_duration_ms: string | null;
	error_message: string | null;
	created_at: Date;
}

/** Lines of the execution log that the page shows. */
const STEPS = 12;

/** The newest deployment of an environment, with its stages and what was done last; null before the first. */
export async function readPipeline(client: ClientBase, environment: string): Promise<Pipeline | null> {
	const { rows } = await client.query<PipelineRow>(
		`SELECT id, pipeline_name, pipeline_version, status, started_at, completed_at, triggered_by, git_commit_hash,
			git_branch, left(error_message, $2) AS error_message
		FROM deployment_pipelines WHERE environment = $1 ORDER BY id DESC LIMIT 1`,
		[environment, TEXT_LENGTH],
	);
	const row = rows[0];
	if (row === undefined) {
		return null;
	}
	return {
		id: Number(row.id),
		name: row.pipeline_name,
		release: row.pipeline_version,
		status: row.status,
		startedAt: moment(row.started_at),
		completedAt: moment(row.completed_at),
		triggeredBy: row.triggered_by,
		commit: row.git_commit_hash,
		branch: row.git_branch,
		error: row.error_message,
		stages: await readStages(client, row.id),
		steps: await readSteps(client, row.id),
	};
}

async function readStages(client: ClientBase, pipeline: string): Promise<Stage[]> {
	const { rows } = await client.query<StageRow>(
		`SELECT stage_order, stage_name, stage_type, status, started_at, completed_at, duration_ms,
			right(stage_output, $2) AS stage_output, left(error_message, $2) AS error_message
		FROM deployment_stages WHERE pipeline_id = $1 ORDER BY stage_order`,
		[pipeline, TEXT_LENGTH],
	);
	return rows.map((row) => ({
		order: row.stage_order,
		name: row.stage_name,
		type: row.stage_type,
		status: row.status,
		startedAt: moment(row.started_at),
		completedAt: moment(row.completed_at),
		durationMs: whole(row.duration_ms),
		output: row.stage_output,
		error: row.error_message,
	}));
}

async function readSteps(client: ClientBase, pipeline: string): Promise<Step[]> {
	const { rows } = await client.query<StepRow>(
		`SELECT log.id, migration_version || ' ' || migration_name AS migration, execution_step, step_status,
			step_duration_ms, left(log.error_message, $3) AS error_message, log.created_at
		FROM deployment_execution_logs AS log
			LEFT JOIN deployment_migrations AS migration ON migration.id = migration_id
		WHERE deployment_id = $1 ORDER BY log.id DESC LIMIT $2`,
		[pipeline, STEPS, TEXT_LENGTH],
	);
	return rows.reverse().map((row) => ({
		id: Number(row.id),
		migration: row.migration,
		step: row.execution_step,
		status: row.step_status,
		durationMs: whole(row.step_duration_ms),
		error: row.error_message,
		at: row.created_at.toISOString(),
	}));
}
