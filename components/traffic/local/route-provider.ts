import { z } from "zod";
import { deploymentContextSchema } from "../../pipeline/context";
import { inStage } from "../../pipeline/deployment";
import { defineProvider } from "../../provider/define";
import { activeTarget, routeNowhere, switchTraffic } from "./switch";

const inputs = z.object({
	stateFile: z.string(),
	publicUrl: z.string(),
	targetGroup: z.string(),
	targetUrl: z.string(),
	release: z.string(),
	timeoutSeconds: z.number(),
	context: deploymentContextSchema,
});
const outputs = inputs.extend({
	previousGroup: z.string(),
	previousUrl: z.string(),
	deploymentId: z.number(),
});

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["timeoutSeconds", "context"],
	async create(wanted) {
		return { id: wanted.stateFile, outputs: await move(wanted) };
	},
	async update(_id, wanted) {
		return move(wanted);
	},
	async isCurrent(_id, { stateFile, targetGroup, targetUrl }) {
		const active = activeTarget(stateFile);
		return active?.targetGroup === targetGroup && active.url === targetUrl;
	},
	/** Without a route the router answers 503, and no process is asked that is about to end. */
	async delete(_id, { stateFile }) {
		await routeNowhere(stateFile);
	},
});

async function move(wanted: Inputs): Promise<Outputs> {
	const { context, targetGroup, targetUrl, release } = wanted;
	return inStage(context, "Deploy to Environment", `traffic to ${release}`, async (deploymentId, log) => {
		const before = await switchTraffic({ ...wanted, target: { targetGroup, url: targetUrl } });
		log(`traffic goes to ${release} (${targetUrl})`);
		return {
			...wanted,
			previousGroup: before?.targetGroup ?? "",
			previousUrl: before?.url ?? "",
			deploymentId,
		};
	});
}
