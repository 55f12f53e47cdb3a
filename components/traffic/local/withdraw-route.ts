import { z } from "zod";
import { finishRollback, type RollbackType, startRollback } from "../../catalog/rollbacks";
import { withCatalog } from "../../catalog/session";
import type { DeploymentContext } from "../../pipeline/context";
import { TrafficReturned } from "../../pipeline/deployment";
import { goBack } from "./switch";

/** How the traffic came to a release, for sending it back. */
export const movedRouteSchema = z.object({
	/** Where it goes back to; empty when it came from nowhere. */
	previousGroup: z.string(),
	previousUrl: z.string(),
	routerFile: z.string(),
	/** The deployment that moved it; only in that one is there somewhere to go back to. */
	routedBy: z.number(),
	/** The order of this update's halves. */
	plan: z.enum(["migrate-first", "serve-first"]),
});

export type MovedRoute = z.infer<typeof movedRouteSchema>;

/**
 * Sends the traffic back that this deployment moved, unless what served before has lost its schema, and writes that
 * down as a rollback. Returns the error to go on with, which tells what became of the traffic.
 *
 * @throws StuckTraffic when it does not go back
 */
export async function withdrawRoute(
	route: MovedRoute,
	deployment: { id: number; context: DeploymentContext; type: RollbackType },
	failure: unknown,
): Promise<unknown> {
	const { previousGroup, previousUrl, routerFile, routedBy, plan } = route;
	const { id: deploymentId, context } = deployment;
	if (routedBy !== deploymentId) {
		return failure;
	}
	const message = failure instanceof Error ? failure.message : String(failure);
	if (plan === "serve-first") {
		return new Error(
			`${message}\nthe traffic stays on ${context.release}: the migrations of the newer release are undone`,
			{ cause: failure },
		);
	}
	const previous = previousGroup === "" ? undefined : { targetGroup: previousGroup, url: previousUrl };
	const started = performance.now();
	await goBack(routerFile, previous, failure);
	const durationMs = Math.round(performance.now() - started);
	const where = previous === undefined ? "taken off the service" : `back on ${previous.targetGroup}`;
	const untold = await tellCatalog(route, deployment, message, { step: `traffic ${where}`, durationMs });
	return new TrafficReturned([message, `the traffic is ${where}`, ...untold].join("\n"), { cause: failure });
}

/** What to add when the catalog could not be told: the failure itself is what the operator has to hear of. */
async function tellCatalog(
	{ previousGroup }: MovedRoute,
	{ id: deploymentId, context, type }: { id: number; context: DeploymentContext; type: RollbackType },
	reason: string,
	{ step, durationMs }: { step: string; durationMs: number },
): Promise<string[]> {
	const targetVersion = /^\d+\.\d+\.\d+/.exec(previousGroup)?.[0];
	try {
		await withCatalog(context.catalog, "deployment-traffic", async (client) => {
			const id = await startRollback(client, {
				deploymentId,
				type,
				reason: reason.slice(0, REASON_LENGTH),
				previousVersion: context.release,
				...(targetVersion !== undefined && { targetVersion }),
			});
			await finishRollback(client, id, { steps: [{ step, status: "completed", durationMs }] });
		});
		return [];
	} catch (error) {
		return [`the catalog could not be told: ${error instanceof Error ? error.message : String(error)}`];
	}
}

const REASON_LENGTH = 500;
