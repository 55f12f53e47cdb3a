import { z } from "zod";
import { UnhealthyResource } from "../provider/unhealthy";
import { CHECKS, type CheckResult, describeCheck, STATUSES } from "./check-result";
import { type Examination, runChecks } from "./run-checks";

/** What a resource shows of a release's health. */
export const reportedHealthSchema = z.object({
	/** When the release last passed within a deployment, in ISO 8601. */
	checkedAt: z.string(),
	/** As last found, in a deployment or by a refresh. Without figures: those change all the time. */
	statuses: z.partialRecord(z.enum(CHECKS), z.enum(STATUSES)),
});

export type ReportedHealth = z.infer<typeof reportedHealthSchema>;

/** The outputs of a release that has just passed. */
export function reportHealth(results: readonly CheckResult[]): ReportedHealth {
	return { checkedAt: new Date().toISOString(), statuses: statusesOf(results) };
}

/** For how long a refresh watches statements, in milliseconds. */
const OBSERVE_MS = 1000;

/**
 * A resource's outputs with the health of today; changes nothing else.
 *
 * @throws UnhealthyResource with the outputs and each check that fails
 */
export async function readHealth<T extends ReportedHealth>(outputs: T, examination: Examination): Promise<T> {
	const results = await runChecks({ observeMs: OBSERVE_MS, ...examination });
	const found = { ...outputs, statuses: statusesOf(results) };
	const warnings = results.filter(({ status }) => status === "WARNING").map(describeCheck);
	const failures = results.filter(({ status }) => status === "FAIL").map(describeCheck);
	for (const warning of warnings) {
		console.log(`release ${examination.release}: ${warning}`);
	}
	if (failures.length > 0) {
		throw new UnhealthyResource(`release ${examination.release} is not healthy`, found, failures);
	}
	return found;
}

function statusesOf(results: readonly CheckResult[]): ReportedHealth["statuses"] {
	return Object.fromEntries(results.map(({ check, status }) => [check, status]));
}
