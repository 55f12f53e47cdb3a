import { parseArgs } from "node:util";
import { observe } from "../components/monitoring/observe";
import { statusText } from "../components/monitoring/status-text";
import { openStack } from "./stack-access";
import { stackOf } from "./stack-environment";

const USAGE = "usage: npm run status -- --stack <stack> [--json]";

async function main(args: string[]): Promise<number> {
	const options = read(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const observation = await observe(await openStack(options.stack));
	console.log(options.json ? JSON.stringify(observation, null, 2) : statusText(observation));
	return observation.status === undefined ? 1 : 0;
}

function read(args: string[]) {
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

// `npm run status -- --stack local`: what is deployed, what is being done to it, and how the last deployments went.
main(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
		process.exitCode = 1;
	},
);
