import type { TestProject } from "./project";

/** Shipped stages that are quick, as a stack file declares them. */
export const QUICK_STAGES = [
	shipped("Run Unit Tests", "database-tests", "after-migrations"),
	shipped("Integration Tests", "api-integration"),
];

function shipped(name: string, program: string, when?: string) {
	return {
		name,
		command: ["node", "--require", "tsx/cjs", `stages/${program}.ts`],
		timeoutSeconds: 60,
		...(when && { when }),
	};
}

/** A stage of the test's own, which runs a program's text. */
export function ownStage(
	name: string,
	program: string,
	changes: { timeoutSeconds?: number; when?: string } = {},
) {
	return { name, command: ["node", "-e", program], timeoutSeconds: 30, ...changes };
}

/** Has a project declare these stages, in place of those that it had. */
export function declareStages(project: TestProject, stages: object[]): void {
	project.configure({ stages: JSON.stringify(stages) });
}

/** The stages of the newest deployment, as `name: status`, in their order. */
export async function lastStages(project: TestProject): Promise<string[]> {
	const rows = await project.catalog<{ stage: string }>(
		`SELECT stage_name || ': ' || status AS stage FROM deployment_stages
		WHERE pipeline_id = (SELECT max(id) FROM deployment_pipelines) ORDER BY stage_order`,
	);
	return rows.map(({ stage }) => stage);
}

/** What must be true of the records of any stack, whatever has happened to it. */
export async function contradictions(project: TestProject): Promise<unknown[]> {
	return project.catalog(
		`SELECT pipeline_id, stage_name, stage.status FROM deployment_stages AS stage
		JOIN deployment_pipelines AS pipeline ON pipeline.id = pipeline_id
		WHERE (stage.status IN ('completed', 'failed')) <> (stage.completed_at IS NOT NULL)
			OR (stage.status IN ('completed', 'failed')) <> (duration_ms IS NOT NULL)
			OR (stage.status IN ('pending', 'skipped') AND stage.started_at IS NOT NULL)
			OR stage.completed_at < stage.started_at OR stage.started_at < pipeline.started_at
			OR (stage.status = 'failed') <> (stage.error_message IS NOT NULL)
			OR (pipeline.status IN ('completed', 'failed', 'rolled_back') AND stage.status IN ('pending', 'running'))
			OR (pipeline.status = 'completed' AND stage.status = 'failed')
		UNION ALL
		SELECT id, 'no failed stage', status FROM deployment_pipelines AS pipeline
		WHERE status IN ('failed', 'rolled_back') AND error_message <> 'interrupted'
			AND NOT EXISTS (SELECT FROM deployment_stages WHERE pipeline_id = pipeline.id AND status = 'failed')
		UNION ALL
		SELECT pipeline_id, 'rollback without its stage', rollback_status FROM deployment_rollbacks AS rollback
		WHERE NOT EXISTS (SELECT FROM deployment_stages WHERE pipeline_id = rollback.pipeline_id AND stage_type = 'rollback')`,
	);
}
