import type { ClientBase } from "pg";
import type { CheckResult } from "../health/check-result";
import type { EnvironmentType } from "./deployments";

export interface HealthExamination {
	/** The deployment on whose behalf it was made; undefined for one that was asked for by itself. */
	deploymentId?: number;
	environment: EnvironmentType;
	/** The colour that was examined, where there are two. */
	color?: string;
	results: readonly CheckResult[];
}

/** Writes down what the checks of one examination have found. */
export async function recordHealthChecks(client: ClientBase, examination: HealthExamination): Promise<void> {
	const { deploymentId, environment, color, results } = examination;
	await client.query(
		`INSERT INTO deployment_health_checks (pipeline_id, environment, color, check_name, status, figure, unit, detail)
		SELECT $1, $2, $3, found."check", found.status, found.figure, found.unit, found.detail
		FROM jsonb_to_recordset($4) AS found ("check" text, status text, figure double precision, unit text, detail text)`,
		[deploymentId ?? null, environment, color ?? null, JSON.stringify(results)],
	);
}
