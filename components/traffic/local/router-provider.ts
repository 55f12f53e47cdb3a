import { z } from "zod";
import { defineProvider } from "../../provider/define";
import { ensureGateway, isGatewayServing, removeGateway } from "./gateway-process";

const inputs = z.object({
	stateFile: z.string(),
	fixedPort: z.number().int().optional(),
	timeoutSeconds: z.number().int(),
});
const outputs = inputs.extend({ url: z.string() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	replaceOn: ["stateFile"],
	ignore: ["timeoutSeconds"],
	async create(wanted) {
		return { id: wanted.stateFile, outputs: await ensure(wanted) };
	},
	async update(_id, wanted) {
		return ensure(wanted);
	},
	async isCurrent(_id, olds) {
		return isGatewayServing(options(olds));
	},
	async delete(_id, olds) {
		await removeGateway(options(olds));
	},
});

async function ensure(wanted: Inputs): Promise<Outputs> {
	const { url, started } = await ensureGateway(options(wanted));
	if (started) {
		console.log(`gateway started on ${url}`);
	}
	return { ...wanted, url };
}

function options({ fixedPort, ...rest }: Inputs) {
	return { ...rest, port: fixedPort };
}
