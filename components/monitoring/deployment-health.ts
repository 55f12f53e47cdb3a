import type { ClientBase } from "pg";
import { z } from "zod";

/** The answer of the catalog's `get_deployment_health()`, with its own keys. */
export const deploymentHealthSchema = z.object({
	deployment_health: z.object({
		total_deployments_today: z.number(),
		successful_deployments_today: z.number(),
		failed_deployments_today: z.number(),
		active_deployments: z.number(),
		/** Of those that succeeded in the last seven days. */
		avg_deployment_time_minutes: z.number(),
	}),
	/** Of each environment that has a finished deployment. */
	environment_status: z.array(
		z.object({
			environment: z.string(),
			last_deployment: z.string(),
			last_status: z.string(),
			is_healthy: z.boolean(),
		}),
	),
	/** The last ten of the last seven days, newest first. */
	recent_rollbacks: z.array(
		z.object({
			pipeline_id: z.number(),
			rollback_reason: z.string(),
			rollback_type: z.string(),
			started_at: z.string(),
		}),
	),
});

/** One environment's deployments of the last 30 days, as the view `deployment_metrics` counts them. */
export const deploymentMetricsSchema = z.object({
	environment: z.string(),
	total: z.coerce.number(),
	successful: z.coerce.number(),
	failed: z.coerce.number(),
	rolledBack: z.coerce.number(),
	/** Of the finished ones, in percent. */
	successRate: z.coerce.number(),
	averageSeconds: z.coerce.number(),
	longestSeconds: z.coerce.number(),
});

export type DeploymentHealth = z.infer<typeof deploymentHealthSchema>;
export type DeploymentMetrics = z.infer<typeof deploymentMetricsSchema>;

/** What the catalog says of today's deployments, of each environment and of the last rollbacks. */
export async function readDeploymentHealth(client: ClientBase): Promise<DeploymentHealth> {
	const { rows } = await client.query("SELECT get_deployment_health() AS health");
	return deploymentHealthSchema.parse(rows[0]?.health);
}

/** The figures of the last 30 days, by environment. */
export async function readDeploymentMetrics(client: ClientBase): Promise<DeploymentMetrics[]> {
	const { rows } = await client.query(
		`SELECT environment, total_deployments AS total, successful_deployments AS successful,
			failed_deployments AS failed, rollback_deployments AS "rolledBack", success_rate AS "successRate",
			avg_deployment_time_seconds AS "averageSeconds", max_deployment_time_seconds AS "longestSeconds"
		FROM deployment_metrics ORDER BY environment`,
	);
	return z.array(deploymentMetricsSchema).parse(rows);
}
