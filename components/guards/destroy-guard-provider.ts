import { z } from "zod";
import { defineProvider } from "../provider/define";

const inputs = z.object({ stack: z.string(), allowed: z.boolean() });

type Inputs = z.infer<typeof inputs>;

export const provider = defineProvider<Inputs, Inputs>({
	inputs,
	outputs: inputs,
	async create(wanted) {
		return { id: wanted.stack, outputs: wanted };
	},
	async update(_id, wanted) {
		return wanted;
	},
	async delete(_id, { stack, allowed }) {
		if (!allowed) {
			throw new Error(
				`stack ${stack} is protected, nothing was destroyed: set protectDatabases to false and allowDestroy to ${stack}, ` +
					"run an update, then destroy",
			);
		}
	},
});
