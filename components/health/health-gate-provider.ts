import { z } from "zod";
import { deploymentContextSchema } from "../pipeline/context";
import { completeDeployment, inDeployment } from "../pipeline/deployment";
import { defineProvider } from "../provider/define";
import { routeBack } from "../traffic/local/switch";
import { waitUntilHealthy } from "./checks";

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
	migratedBy: z.number(),
	context: deploymentContextSchema,
});
const outputs = inputs.extend({ checkedAt: z.string() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["timeoutSeconds", "context"],
	async create(wanted) {
		return { id: "healthy", outputs: await check(wanted) };
	},
	async update(_id, wanted) {
		return check(wanted);
	},
	async delete() {},
});

async function check(wanted: Inputs): Promise<Outputs> {
	const { context, url, release, timeoutSeconds, routerFile, previousGroup, previousUrl, routedBy } = wanted;
	await inDeployment(context, "health check", async (deploymentId) => {
		try {
			await waitUntilHealthy(url, release, timeoutSeconds);
		} catch (error) {
			if (previousGroup !== "" && routedBy === deploymentId) {
				await routeBack(routerFile, { targetGroup: previousGroup, url: previousUrl });
			}
			throw error;
		}
	});
	await completeDeployment(context);
	return { ...wanted, checkedAt: new Date().toISOString() };
}
