import { parseArgs } from "node:util";
import { metricsOf } from "../components/monitoring/metrics";
import { createMetricsServer } from "../components/monitoring/metrics-server";
import { observe } from "../components/monitoring/observe";
import { run } from "./run";
import { openStack } from "./stack-access";
import { stackOf } from "./stack-environment";

const USAGE =
	"usage: npm run metrics -- --stack <stack> [--host 127.0.0.1] [--port 9464] [--once]\n" +
	"  serves the stack's figures for Prometheus at /metrics; --once prints them instead";
const DEFAULT_PORT = 9464;
const HIGHEST_PORT = 65_535;

async function main(args: string[]): Promise<number> {
	const options = read(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const access = await openStack(options.stack);
	if (options.once) {
		const observation = await observe(access);
		process.stdout.write(await metricsOf(observation).metrics());
		for (const fault of observation.faults) {
			console.error(`warning: ${fault}`);
		}
		return observation.status === undefined ? 1 : 0;
	}
	const server = createMetricsServer(() => observe(access));
	const address = await server.listen({ host: options.host, port: options.port });
	console.log(`figures of ${options.stack} for Prometheus: ${address}/metrics`);
	await new Promise<void>((resolve) => {
		process.once("SIGINT", resolve);
		process.once("SIGTERM", resolve);
	});
	await server.close();
	return 0;
}

function read(args: string[]) {
	try {
		const { values } = parseArgs({
			args,
			options: {
				stack: { type: "string", short: "s" },
				host: { type: "string", default: "127.0.0.1" },
				port: { type: "string", default: String(DEFAULT_PORT) },
				once: { type: "boolean", default: false },
			},
		});
		const stack = stackOf(args, process.env);
		const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
		return stack !== undefined && port <= HIGHEST_PORT
			? { stack, port, host: values.host, once: values.once }
			: undefined;
	} catch {
		// An option that there is not.
		return undefined;
	}
}

// `npm run metrics -- --stack local`: what Prometheus asks of a stack.
run(main);
