import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { withClient } from "../database/connection";
import type { DeploymentContext } from "../pipeline/context";
import { type DeploymentEvent, notificationOf } from "./notification";
import { deliver } from "./webhook";

/** What came of a deployment; undefined when it has only started. */
export interface DeploymentOutcome {
	status: "completed" | "failed" | "rolled_back";
	error?: string;
}

/** Deliveries under way: the end of a deployment waits for them, since its process may end with it. */
const underWay = new Set<Promise<void>>();

/**
 * Tells the stack's receiver, where it has one, that a deployment has started or what came of it. A receiver that is
 * dead or slow holds nothing up for more than 6 s and fails nothing: it costs one warning.
 *
 * @param outcome after it is in the catalog; left out when the deployment has just started
 */
export async function notifyDeployment(
	context: DeploymentContext,
	deploymentId: number,
	outcome?: DeploymentOutcome,
): Promise<void> {
	if (context.notify === undefined) {
		return;
	}
	const delivery = send(context, context.notify, deploymentId, outcome).catch((error: unknown) => {
		const what = outcome === undefined ? "started" : `ended as ${outcome.status}`;
		const why = error instanceof Error ? error.message : String(error);
		console.log(`warning: nobody was notified that deployment ${deploymentId} ${what}: ${why}`);
	});
	underWay.add(delivery);
	void delivery.finally(() => underWay.delete(delivery));
	await Promise.all(outcome === undefined ? [] : underWay);
}

async function send(
	context: DeploymentContext,
	{ url, secret, format }: NonNullable<DeploymentContext["notify"]>,
	deploymentId: number,
	outcome: DeploymentOutcome | undefined,
): Promise<void> {
	const event: DeploymentEvent = {
		deploymentId,
		name: context.pipelineName,
		environment: context.environment,
		release: context.release,
		status: outcome?.status ?? "running",
		error: outcome?.error ?? null,
		at: new Date().toISOString(),
		...(await recordOf(context, deploymentId)),
		// What is asked for after the start may tell of later things.
		...(outcome === undefined && { rollback: null }),
	};
	await deliver({ url, secret }, notificationOf(event, format));
}

const recordSchema = z.object({
	release: z.string().optional(),
	triggeredBy: z.string().nullable(),
	commit: z.string().nullable(),
	branch: z.string().nullable(),
	seconds: z.coerce.number().nullable(),
	rollback: z
		.object({
			type: z.string(),
			reason: z.string(),
			from: z.string().nullable(),
			to: z.string().nullable(),
			status: z.string(),
		})
		.nullable(),
});

type DeploymentRecord = z.infer<typeof recordSchema>;

const UNKNOWN: DeploymentRecord = {
	triggeredBy: null,
	commit: null,
	branch: null,
	seconds: null,
	rollback: null,
};
const CATALOG_TIMEOUT_MS = 1000;

/** What the catalog adds. A deployment may have failed for the very reason that the catalog cannot be asked. */
async function recordOf({ catalog }: DeploymentContext, deploymentId: number): Promise<DeploymentRecord> {
	const session = {
		applicationName: "deployment-notification",
		connectTimeoutMs: CATALOG_TIMEOUT_MS,
		statementTimeoutMs: CATALOG_TIMEOUT_MS,
		queryTimeoutMs: CATALOG_TIMEOUT_MS,
	};
	const asked = async () => {
		const { rows } = await withClient(catalog, session, (client) =>
			client.query(
				`SELECT pipeline_version AS release, triggered_by AS "triggeredBy", git_commit_hash AS commit, git_branch AS branch,
					extract(epoch FROM coalesce(completed_at, clock_timestamp()) - started_at) AS seconds,
					(SELECT jsonb_build_object('type', rollback_type, 'reason', rollback_reason, 'from', previous_version,
						'to', target_version, 'status', rollback_status)
					FROM deployment_rollbacks WHERE pipeline_id = deployment.id ORDER BY id DESC LIMIT 1) AS rollback
				FROM deployment_pipelines AS deployment WHERE id = $1`,
				[deploymentId],
			),
		);
		return recordSchema.parse(rows[0]);
	};
	return Promise.race([asked(), sleep(CATALOG_TIMEOUT_MS, UNKNOWN, { ref: false })]).catch(() => UNKNOWN);
}
