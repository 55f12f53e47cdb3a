import { logExecutionSteps } from "../catalog/execution-log";
import { withCatalog } from "../catalog/session";
import type { DeploymentContext } from "./context";

const APPLICATION = "deployment-pipeline";

/** Writes into the catalog that a step of a deployment begins. */
export function recordStep(context: DeploymentContext, deploymentId: number, step: string): Promise<void> {
	return withCatalog(context.catalog, APPLICATION, (catalog) =>
		logExecutionSteps(catalog, deploymentId, [{ step, status: "started" }]),
	);
}

/** Writes into the catalog how long finished steps took. */
export function recordDurations(
	context: DeploymentContext,
	deploymentId: number,
	steps: readonly { step: string; durationMs: number }[],
): Promise<void> {
	return withCatalog(context.catalog, APPLICATION, (catalog) =>
		logExecutionSteps(
			catalog,
			deploymentId,
			steps.map(({ step, durationMs }) => ({
				step,
				status: "completed",
				durationMs: Math.round(durationMs),
			})),
		),
	);
}
