import { z } from "zod";
import { defineProvider } from "../../provider/define";
import { ensureServer, removeServer } from "./server";

const inputs = z.object({
	directory: z.string().min(1),
	password: z.string().min(1),
	maxConnections: z.number().int(),
	keptWalGigabytes: z.number().int().optional(),
	withoutSuperuser: z.boolean().optional(),
	fixedPort: z.number().int().optional(),
	timeoutSeconds: z.number().int(),
});
const outputs = inputs.extend({ host: z.string(), port: z.number().int() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	replaceOn: ["directory"],
	ignore: ["timeoutSeconds"],
	async create(wanted) {
		return { id: wanted.directory, outputs: await ensure(wanted) };
	},
	async update(_id, wanted) {
		return ensure(wanted);
	},
	async delete(_id, olds) {
		await removeServer(olds.directory, olds.timeoutSeconds);
	},
});

async function ensure(wanted: Inputs): Promise<Outputs> {
	const { host, port, started } = await ensureServer(options(wanted));
	if (started) {
		console.log(`PostgreSQL started on ${host}:${port}`);
	}
	return { ...wanted, host, port };
}

function options({ fixedPort, ...rest }: Inputs) {
	return { ...rest, port: fixedPort };
}
