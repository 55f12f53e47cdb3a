import type { TestProject } from "../support/project";

/** A stage of a deployment as the catalog has it. */
export interface StageRecord {
	name: string;
	type: string;
	status: string;
	output: string;
	error: string | null;
}

/** The stages of a deployment, in their order. */
export function stagesOf(project: TestProject, deploymentId: number): Promise<StageRecord[]> {
	return project.catalog<StageRecord & Record<string, unknown>>(
		`SELECT stage_name AS name, stage_type AS type, status, coalesce(stage_output, '') AS output, error_message AS error
		FROM deployment_stages WHERE pipeline_id = $1 ORDER BY stage_order`,
		[deploymentId],
	);
}

/** The stage of a deployment that ran one of the shipped programs, such as `cache`. */
export async function stageThatRan(
	project: TestProject,
	deploymentId: number,
	program: string,
): Promise<StageRecord> {
	const [found] = await project.catalog<StageRecord & Record<string, unknown>>(
		`SELECT stage_name AS name, stage_type AS type, status, coalesce(stage_output, '') AS output, error_message AS error
		FROM deployment_stages WHERE pipeline_id = $1 AND stage_config -> 'command' ? $2`,
		[deploymentId, `stages/${program}.ts`],
	);
	if (found === undefined) {
		throw new Error(`no stage of deployment ${deploymentId} ran stages/${program}.ts`);
	}
	return found;
}

/** What a stage's tests found, in their order: those that did not pass begin with `not ok`, those left out end with why. */
export function testsOf({ output }: StageRecord): string[] {
	return output
		.split("\n")
		.filter((line) => /^(not )?ok \d+ - /.test(line))
		.map((line) => line.replace(/^ok \d+ - /, ""));
}
