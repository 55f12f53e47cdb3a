import { type ParseArgsConfig, parseArgs } from "node:util";
import { stackOf } from "./stack-environment";

type OwnOptions = NonNullable<ParseArgsConfig["options"]>;
type Values<Own extends OwnOptions> = ReturnType<
	typeof parseArgs<{ args: string[]; options: Own }>
>["values"];

/**
 * What a command about one stack is asked for: the stack, by an option or the environment, and options of its own.
 *
 * @returns undefined when it names no stack, or an option that there is not
 */
export function stackOptions<Own extends OwnOptions>(
	args: string[],
	own: Own,
): { stack: string; values: Values<Own> } | undefined {
	try {
		const stack = stackOf(args, process.env);
		const { values } = parseArgs({ args, options: { ...own, stack: { type: "string", short: "s" } } });
		return stack === undefined ? undefined : { stack, values: values as Values<Own> };
	} catch {
		// An option that there is not.
		return undefined;
	}
}
