import { parseArgs } from "node:util";
import { stackOf } from "./stack-environment";

/** What a command that reports on a stack is asked for; undefined when it is called wrongly. */
export function reportOptions(args: string[]): { stack: string; json: boolean } | undefined {
	try {
		const { values } = parseArgs({
			args,
			options: { stack: { type: "string", short: "s" }, json: { type: "boolean", default: false } },
		});
		const stack = stackOf(args, process.env);
		return stack === undefined ? undefined : { stack, json: values.json };
	} catch {
		// An option that there is not.
		return undefined;
	}
}
