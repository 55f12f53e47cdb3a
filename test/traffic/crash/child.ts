import { text } from "node:stream/consumers";
import { putInStep } from "../../../components/replication/put-in-step";
import { GatewayRouter } from "../../../components/traffic/local/gateway-router";
import { moveTraffic } from "../../../components/traffic/move-traffic";
import type { Order } from "./killed";

/** Does one part of an update as told on standard input, and dies as by `kill -9` when it comes to a step. */
async function main(): Promise<void> {
	const order: Order = JSON.parse(await text(process.stdin));
	const step = (name: string) => {
		if (name === order.killAt) {
			process.kill(process.pid, "SIGKILL");
		}
	};
	const log = () => {};
	process.stdout.write("begun\n");
	if (order.copy !== undefined) {
		await putInStep({ ...order.copy, log, step: async (name) => step(name) });
	}
	if (order.move !== undefined) {
		const { stateFile, ...options } = order.move;
		await moveTraffic({ ...options, router: new GatewayRouter(stateFile), log, step });
	}
}

main().catch((error: unknown) => {
	process.stderr.write(String(error));
	process.exitCode = 1;
});
