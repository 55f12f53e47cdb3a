import { stackOptions } from "./stack-options";

/** What a command that reports on a stack is asked for; undefined when it is called wrongly. */
export function reportOptions(args: string[]): { stack: string; json: boolean } | undefined {
	const asked = stackOptions(args, { json: { type: "boolean", default: false } });
	return asked && { stack: asked.stack, json: asked.values.json };
}
