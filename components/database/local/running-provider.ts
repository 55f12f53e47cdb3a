import { z } from "zod";
import { defineProvider } from "../../provider/define";
import { ensureServer, isServing } from "./server";

const inputs = z.object({
	directory: z.string().min(1),
	password: z.string().min(1),
	maxConnections: z.number().int(),
	keptWalGigabytes: z.number().int().optional(),
	withoutSuperuser: z.boolean().optional(),
	port: z.number().int(),
	timeoutSeconds: z.number().int(),
});

type Inputs = z.infer<typeof inputs>;

export const provider = defineProvider<Inputs, Inputs>({
	inputs,
	outputs: inputs,
	ignore: ["timeoutSeconds"],
	async create(wanted) {
		return { id: wanted.directory, outputs: await start(wanted) };
	},
	async update(_id, wanted) {
		return start(wanted);
	},
	async isCurrent(_id, olds) {
		return isServing(olds);
	},
	/** It is stopped with the server itself. */
	async delete() {},
});

async function start(wanted: Inputs): Promise<Inputs> {
	const { host, port, started } = await ensureServer(wanted);
	if (started) {
		console.log(`PostgreSQL started on ${host}:${port}`);
	}
	return wanted;
}
