import { OptionsError, readOptions } from "../dashboard/options";
import { startDashboard } from "../dashboard/server";
import { openStack } from "./stack-access";

async function main(args: string[]): Promise<number> {
	const options = readOptions(args, process.env);
	const { environment, catalog, servers } = await openStack(options.stack);
	const dashboard = await startDashboard({ ...options, environment, catalog, servers });
	console.log(`The dashboard of ${options.stack} is at ${dashboard.url} (Ctrl+C ends it)`);
	await new Promise<void>((resolve) => {
		process.once("SIGINT", resolve);
		process.once("SIGTERM", resolve);
	});
	await dashboard.close();
	return 0;
}

// `npm run dashboard -- --stack staging`: shows deployments, colours and health of a stack in a browser, as they go.
main(process.argv.slice(2)).then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		console.error(error instanceof OptionsError ? error.message : `error: ${messageOf(error)}`);
		process.exitCode = error instanceof OptionsError ? 2 : 1;
	},
);

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
