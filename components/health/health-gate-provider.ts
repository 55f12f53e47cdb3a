import { z } from "zod";
import { hasOpenDeployment } from "../catalog/deployments";
import { withCatalog } from "../catalog/session";
import { deploymentContextSchema } from "../pipeline/context";
import { completeDeployment, inStage, type StageLog } from "../pipeline/deployment";
import { recordPutBack } from "../pipeline/put-back";
import { defineProvider } from "../provider/define";
import { movedRouteSchema, withdrawRoute } from "../traffic/local/withdraw-route";
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
	...movedRouteSchema.shape,
	migratedBy: z.number(),
	subject: subjectSchema,
	/** When the migrated schema last passed its tests; undefined without any. */
	testedAt: z.string().optional(),
	/** Whether the deployment is done once the release is healthy. */
	completes: z.boolean().default(true),
	context: deploymentContextSchema,
});
const outputs = inputs.extend(reportedHealthSchema.shape);

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["timeoutSeconds", "context", "plan", "completes"],
	/** Whether every deployment was closed: one whose update died may leave nothing else to do. */
	async isCurrent(_id, { context }) {
		try {
			return !(await withCatalog(context.catalog, "deployment-health", (client) =>
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
	const { context, subject, completes, plan, routedBy } = wanted;
	const since = windowOf(subject.application);
	const type = "health_check_failure";
	const step = async (id: number, log: StageLog): Promise<CheckResult[]> => {
		const results = await passChecks({ ...wanted, ...(since && { since }), deploymentId: id, log }).catch(
			async (error) => {
				throw await withdrawRoute(wanted, { id, context, type }, error);
			},
		);
		if (plan === "serve-first" && routedBy === id) {
			await recordPutBack(context, id, [{ step: `traffic to ${context.release}`, status: "completed" }]);
		}
		return results;
	};
	const results = await inStage(context, "Health Checks", "health check", step, type);
	if (completes) {
		await completeDeployment(context);
	}
	return { ...wanted, ...reportHealth(results) };
}
