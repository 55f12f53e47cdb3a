import { z } from "zod";
import { connectionSchema } from "../database/connection";
import { waitUntilHealthy } from "../health/checks";
import { openWindow } from "../health/statement-window";
import { deploymentContextSchema } from "../pipeline/context";
import { inStage } from "../pipeline/deployment";
import { defineProvider } from "../provider/define";

const inputs = z.object({
	url: z.string(),
	instance: z.string(),
	release: z.string(),
	logs: z.string(),
	database: connectionSchema,
	statistics: connectionSchema,
	readyTimeoutSeconds: z.number(),
	context: deploymentContextSchema,
});

type Inputs = z.infer<typeof inputs>;

export const provider = defineProvider<Inputs, Inputs>({
	inputs,
	outputs: inputs,
	replaceOn: ["instance"],
	ignore: ["logs", "database", "statistics", "readyTimeoutSeconds", "context"],
	async create(wanted) {
		await untilReady(wanted);
		return { id: wanted.instance, outputs: wanted };
	},
	async update(_id, wanted) {
		await untilReady(wanted);
		return wanted;
	},
	/** The platform ends the service. */
	async delete() {},
});

function untilReady({ url, release, logs, database, statistics, readyTimeoutSeconds, context }: Inputs) {
	return inStage(context, "Deploy to Environment", `service ${release}`, async (_id, log) => {
		await openWindow(statistics, database);
		try {
			await waitUntilHealthy(url, release, readyTimeoutSeconds);
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			throw new Error(`the service ${release} did not become ready: ${why}; ${logs} shows why`, {
				cause: error,
			});
		}
		log(`service ${release} is ready on ${url}`);
	});
}
