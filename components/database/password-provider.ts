import { randomBytes } from "node:crypto";
import { z } from "zod";
import { defineProvider } from "../provider/define";

const PASSWORD_BYTES = 24;

const inputs = z.object({});
const outputs = z.object({ value: z.string() });

export const provider = defineProvider<object, { value: string }>({
	inputs,
	outputs,
	async create() {
		return { id: "generated", outputs: { value: randomBytes(PASSWORD_BYTES).toString("base64url") } };
	},
	async update(_id, _inputs, olds) {
		return olds;
	},
	async delete() {},
});
