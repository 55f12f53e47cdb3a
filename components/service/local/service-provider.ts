import { z } from "zod";
import { connectionSchema } from "../../database/connection";
import { openWindow } from "../../health/statement-window";
import { deploymentContextSchema } from "../../pipeline/context";
import { inStage } from "../../pipeline/deployment";
import { defineProvider } from "../../provider/define";
import { routedUrls } from "../../traffic/local/router-file";
import {
	isAlive,
	removeServiceFolder,
	type ServiceProcess,
	serviceSchema,
	startService,
	stopService,
} from "./process";

const inputs = serviceSchema.extend({
	statistics: connectionSchema,
	routerFile: z.string(),
	readyTimeoutSeconds: z.number(),
	drainTimeoutSeconds: z.number(),
	context: deploymentContextSchema,
});
const outputs = inputs.extend({ url: z.string(), instance: z.string() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

const { directory: _directory, ...replacing } = serviceSchema.shape;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	replaceOn: Object.keys(replacing) as (keyof typeof replacing)[],
	ignore: ["statistics", "readyTimeoutSeconds", "drainTimeoutSeconds", "context"],
	async create(wanted) {
		const started = await start(wanted);
		return { id: started.instance, outputs: { ...wanted, ...started } };
	},
	/** Only deadlines changed: the process goes on. A process that is gone is replaced. */
	async update(_id, wanted, { url, instance }) {
		return { ...wanted, url, instance };
	},
	replaceStale: "instance",
	async isCurrent(_id, olds) {
		return isAlive(olds.directory, olds);
	},
	/** A process that still has the traffic is never ended: the next one to start ends it when it has none any more. */
	async delete(_id, olds) {
		if (!routedUrls(olds.routerFile).includes(olds.url)) {
			await stopService(olds.directory, olds.instance, olds);
			removeServiceFolder(olds.directory);
		}
	},
});

function start(wanted: Inputs): Promise<ServiceProcess> {
	return inStage(wanted.context, "Deploy to Environment", `service ${wanted.release}`, async (_id, log) => {
		await openWindow(wanted.statistics, wanted.database);
		const { instance, url } = await startService(
			serviceSchema.parse(wanted),
			wanted,
			routedUrls(wanted.routerFile),
		);
		log(`service ${wanted.release} is ready on ${url}`);
		return { instance, url };
	});
}
