import { observe } from "../components/monitoring/observe";
import { statusText } from "../components/monitoring/status-text";
import { reportOptions } from "./report-options";
import { run } from "./run";
import { openStack } from "./stack-access";

const USAGE = "usage: npm run status -- --stack <stack> [--json]";

async function main(args: string[]): Promise<number> {
	const options = reportOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const observation = await observe(await openStack(options.stack));
	console.log(options.json ? JSON.stringify(observation, null, 2) : statusText(observation));
	return observation.status === undefined ? 1 : 0;
}

// `npm run status -- --stack local`: what is deployed, what is being done to it, and how the last deployments went.
run(main);
