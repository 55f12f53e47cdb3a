import { z } from "zod";
import { hasOpenDeployment } from "../catalog/deployments";
import { finishRollback, startRollback } from "../catalog/rollbacks";
import { withClient } from "../database/connection";
import { deploymentContextSchema } from "../pipeline/context";
import { completeDeployment, inDeployment } from "../pipeline/deployment";
import { defineProvider } from "../provider/define";
import { goBack } from "../traffic/local/switch";
import type { CheckResult } from "./check-result";
import { passChecks } from "./pass-checks";
import { readHealth, reportedHealthSchema, reportHealth } from "./reported-health";
import { windowOf } from "./statement-window";
import { subjectSchema } from "./subject";

const inputs = z.object({
	url: z.string(),
	release: z.string(),
	timeoutSeconds: z.number(),
	targetGroup: z.string(),
	targetUrl: z.string(),
	/** Where the traffic goes back to; empty when it came from nowhere. */
	previousGroup: z.string(),
	previousUrl: z.string(),
	routerFile: z.string(),
	/** The deployment that moved the traffic; only in that one is there somewhere to go back to. */
	routedBy: z.number(),
	/** The order of this update's halves. */
	plan: z.enum(["migrate-first", "serve-first"]),
	migratedBy: z.number(),
	subject: subjectSchema,
	context: deploymentContextSchema,
});
const outputs = inputs.extend(reportedHealthSchema.shape);

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["timeoutSeconds", "context", "plan"],
	/** Whether every deployment was closed: one whose update died may leave nothing else to do. */
	async isCurrent(_id, { context }) {
		try {
			return !(await withClient(context.catalog, { applicationName: "deployment-health" }, (client) =>
				hasOpenDeployment(client, context.environment),
			));
		} catch (error) {
			// While a server is down, bringing it up is its own step, and shown as that.
			if (error instanceof Error && error.message.startsWith("cannot connect to")) {
				return true;
			}
			throw error;
		}
	},
	async create(wanted) {
		return { id: "healthy", outputs: await check(wanted) };
	},
	async update(_id, wanted) {
		return check(wanted);
	},
	async read(_id, olds) {
		return readHealth(olds, olds);
	},
	async delete() {},
});

async function check(wanted: Inputs): Promise<Outputs> {
	const { context, subject, routedBy } = wanted;
	const since = windowOf(subject.application);
	const step = async (deploymentId: number): Promise<CheckResult[]> => {
		try {
			return await passChecks({ ...wanted, ...(since && { since }), deploymentId, log: console.log });
		} catch (error) {
			throw routedBy === deploymentId ? await withdraw(wanted, deploymentId, error) : error;
		}
	};
	const results = await inDeployment(context, "health check", step, "health_check_failure");
	await completeDeployment(context);
	return { ...wanted, ...reportHealth(results) };
}

/** Sends the traffic back that this update moved, unless what served before has lost its schema. Tells what it did. */
async function withdraw(wanted: Inputs, deploymentId: number, failure: unknown): Promise<Error> {
	const { context, release, plan, previousGroup, previousUrl, routerFile } = wanted;
	const message = failure instanceof Error ? failure.message : String(failure);
	if (plan === "serve-first") {
		return new Error(
			`${message}\nthe traffic stays on ${release}: the migrations of the newer release are undone`,
		);
	}
	const previous = previousGroup === "" ? undefined : { targetGroup: previousGroup, url: previousUrl };
	await goBack(routerFile, previous, failure);
	const where = previous === undefined ? "taken off the service" : `back on ${previous.targetGroup}`;
	await withClient(context.catalog, { applicationName: "deployment-health" }, async (client) => {
		const id = await startRollback(client, {
			deploymentId,
			type: "health_check_failure",
			reason: message.slice(0, REASON_LENGTH),
			previousVersion: release,
		});
		await finishRollback(client, id, { steps: [{ step: `traffic ${where}`, status: "completed" }] });
	});
	return new Error(`${message}\nthe traffic is ${where}`);
}

const REASON_LENGTH = 500;
