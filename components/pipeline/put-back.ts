import { releaseBefore } from "../catalog/deployments";
import { finishRollback, hasRollback, type RollbackStep, startRollback } from "../catalog/rollbacks";
import { withCatalog } from "../catalog/session";
import { compareVersions } from "../migrations/migration";
import type { DeploymentContext } from "./context";

/**
 * Writes down that the operator has put the release back in place. Does nothing when the deployment has that on record
 * already.
 *
 * @param fallback what was there before, when the release that was is no newer than this one
 */
export async function recordPutBack(
	{ catalog, release }: DeploymentContext,
	deploymentId: number,
	steps: RollbackStep[],
	fallback?: string,
): Promise<void> {
	await withCatalog(catalog, "deployment-pipeline", async (client) => {
		if (await hasRollback(client, deploymentId)) {
			return;
		}
		const before = await releaseBefore(client, deploymentId);
		const previousVersion = before !== undefined && compareVersions(release, before) < 0 ? before : fallback;
		const id = await startRollback(client, {
			deploymentId,
			type: "manual",
			reason: `the release was put back to ${release}`,
			...(previousVersion !== undefined && { previousVersion }),
			targetVersion: release,
		});
		await finishRollback(client, id, { steps });
	});
}
