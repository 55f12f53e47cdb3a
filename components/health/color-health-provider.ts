import { z } from "zod";
import { deploymentContextSchema } from "../pipeline/context";
import { inDeployment } from "../pipeline/deployment";
import { defineProvider } from "../provider/define";
import { waitUntilHealthy } from "./checks";

const inputs = z.object({
	url: z.string(),
	release: z.string(),
	/** The service process: another one is checked anew. */
	targetGroup: z.string(),
	/** The deployment that last migrated its database: the service is checked anew after it. */
	migratedBy: z.number(),
	timeoutSeconds: z.number(),
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
		return { id: wanted.targetGroup, outputs: await check(wanted) };
	},
	async update(_id, wanted) {
		return check(wanted);
	},
	async delete() {},
});

async function check(wanted: Inputs): Promise<Outputs> {
	const { context, url, release, timeoutSeconds } = wanted;
	await inDeployment(context, `health of release ${release} before it gets traffic`, () =>
		waitUntilHealthy(url, release, timeoutSeconds),
	);
	return { ...wanted, checkedAt: new Date().toISOString() };
}
