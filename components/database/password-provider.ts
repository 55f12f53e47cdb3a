import { randomBytes } from "node:crypto";
import { z } from "zod";
import { defineProvider } from "../provider/define";

const PASSWORD_BYTES = 24;

const inputs = z.object({ generation: z.number().int().optional() });
const outputs = inputs.extend({ value: z.string() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	async create(wanted) {
		return { id: "generated", outputs: generated(wanted) };
	},
	async update(_id, wanted, olds) {
		return wanted.generation === olds.generation ? olds : generated(wanted);
	},
	async delete() {},
});

function generated(wanted: Inputs): Outputs {
	return { ...wanted, value: randomBytes(PASSWORD_BYTES).toString("base64url") };
}
