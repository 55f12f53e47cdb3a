import { recordHealthChecks } from "../catalog/health-checks";
import { withCatalog } from "../catalog/session";
import { poll } from "../local/deadline";
import type { DeploymentContext } from "../pipeline/context";
import { resumeSubscription } from "../replication/link";
import { linkState, withLink } from "../replication/link-state";
import { linkName } from "../replication/node";
import { type CheckName, type CheckResult, describeCheck, overallStatus } from "./check-result";
import { type Examination, runChecks } from "./run-checks";

/** At least one check of a release has failed. */
export class HealthFailure extends Error {
	override readonly name = "HealthFailure";

	constructor(
		message: string,
		/** Of all checks. */
		readonly results: readonly CheckResult[],
	) {
		super(message);
	}
}

export interface Trial extends Examination {
	/** Seconds that what can mend itself has for that. */
	timeoutSeconds: number;
	deploymentId: number;
	context: Pick<DeploymentContext, "catalog" | "environment">;
	log(line: string): void;
}

const POLL_INTERVAL_MS = 250;
/** What stays as it is, however long one waits. */
const LASTING: readonly CheckName[] = ["performance", "migrations"];

/**
 * Examines a release within a deployment, until no check fails or the time is over, and writes the results down with the
 * deployment. Warnings are told.
 *
 * @returns the results
 * @throws HealthFailure naming each check that fails
 */
export async function passChecks(trial: Trial): Promise<CheckResult[]> {
	const { url, timeoutSeconds, log } = trial;
	let resumed = false;
	let results: CheckResult[] = [];
	let lasts = false;
	await poll(timeoutSeconds * 1000, POLL_INTERVAL_MS, async () => {
		results = await runChecks(trial);
		const failed = results.filter(({ status }) => status === "FAIL").map(({ check }) => check);
		lasts = failed.some((check) => LASTING.includes(check));
		if (failed.includes("replication_lag")) {
			// What stops it a second time does not mend itself. What hinders asking is what the checks tell.
			lasts ||= resumed && (await hasFaultyLink(trial).catch(() => false));
			if (!resumed) {
				resumed = true;
				await resumeLinks(trial).catch(() => {});
			}
		}
		return failed.length === 0 || lasts || undefined;
	});
	await record(trial, results).catch((error: Error) =>
		log(`the catalog could not be told: ${error.message}`),
	);
	for (const result of results.filter(({ status }) => status === "WARNING")) {
		log(describeCheck(result));
	}
	if (overallStatus(results) === "FAIL") {
		const faults = results
			.filter(({ status }) => status === "FAIL")
			.map(({ check, detail }) => `${check}: ${detail}`);
		const waited = lasts ? "" : ` after ${timeoutSeconds} s`;
		throw new HealthFailure(`${url} is not healthy${waited}: ${faults.join("; ")}`, results);
	}
	return results;
}

/** What stopped a link may be over, as a deadlock is. */
async function resumeLinks({ links }: Trial): Promise<void> {
	for (const { from, to } of (await links?.()) ?? []) {
		await withLink(from, to, async (ends) => {
			if ((await linkState(ends)).stopped) {
				await resumeSubscription(ends.to.client, linkName(from, to));
			}
		});
	}
}

/** Whether a link has stopped on an error, or was lost; not whether one is just not connected. */
async function hasFaultyLink({ links }: Trial): Promise<boolean> {
	for (const { from, to } of (await links?.()) ?? []) {
		if ((await withLink(from, to, linkState)).fault !== undefined) {
			return true;
		}
	}
	return false;
}

function record({ context, deploymentId, subject }: Trial, results: CheckResult[]): Promise<void> {
	return withCatalog(context.catalog, "deployment-health", (client) =>
		recordHealthChecks(client, {
			deploymentId,
			environment: context.environment,
			...(subject.color && { color: subject.color.color }),
			results,
		}),
	);
}
