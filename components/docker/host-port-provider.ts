import { z } from "zod";
import { findFreePort } from "../local/port";
import { defineProvider } from "../provider/define";

const inputs = z.object({ container: z.string() });
const outputs = inputs.extend({ port: z.number().int() });

export const provider = defineProvider<z.infer<typeof inputs>, z.infer<typeof outputs>>({
	inputs,
	outputs,
	replaceOn: ["container"],
	async create(wanted) {
		const port = await findFreePort();
		return { id: String(port), outputs: { ...wanted, port } };
	},
	async update(_id, wanted, { port }) {
		return { ...wanted, port };
	},
	/** Nothing is kept on this machine. */
	async delete() {},
});
