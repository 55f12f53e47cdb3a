import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import pino from "pino";
import { createAdmin } from "./admin";
import { createProxy } from "./http-proxy";
import { Router } from "./router";
import { loadState, saveState } from "./state";
import { WebProxy } from "./web-proxy";
import { WebSocketProxy } from "./websocket-proxy";

const ADMIN_HOST = "127.0.0.1";
const CLIENT_KEEP_ALIVE_MS = 65_000;
const STOP_DEADLINE_MS = 10_000;

async function run(path: string): Promise<void> {
	const state = loadState(path);
	const log = pino({ base: { instance: state.instance } });

	const server = createServer({ keepAliveTimeout: CLIENT_KEEP_ALIVE_MS });
	const router = new Router(state, (next) => saveState(path, next), log);
	const admin = createAdmin(router, { token: state.token, instance: state.instance, log });
	await admin.ready();
	let closing = false;
	const web = new WebProxy(await createProxy(), router, log, state.upstreamTimeoutMs, () => closing);
	const webSockets = new WebSocketProxy(await createProxy(), router, log);
	server.on("request", (request, response) => web.serve(request, response));
	server.on("upgrade", (request, socket, head) => webSockets.serve(request, socket as Socket, head));

	// Only when requests can be served: one that nobody listened to would never be answered.
	state.port = await listen(server, state.port, state.host, "the gateway");
	// From here on the ports are ours: a second gateway on the same state file has failed before it could write.
	state.adminPort = await listen(admin.server, state.adminPort, ADMIN_HOST, "the gateway's admin endpoint");
	saveState(path, state);
	log.info({ host: state.host, port: state.port, adminPort: state.adminPort }, "listening");

	async function stop(signal: string): Promise<void> {
		log.info({ signal, inFlight: router.flights.count }, "stopping");
		closing = true;
		server.close();
		router.close();
		const remaining = await router.flights.whenIdle(STOP_DEADLINE_MS);
		log.info(
			{ remaining },
			remaining === 0 ? "stopped" : "requests were still running at the deadline: cut off",
		);
		process.exit(0);
	}
	for (const signal of ["SIGTERM", "SIGINT"] as const) {
		process.once(signal, () => void stop(signal));
	}
}

/** @returns the port that is listened on. */
async function listen(server: Server, port: number, host: string, purpose: string): Promise<number> {
	try {
		server.listen(port, host);
		await once(server, "listening");
	} catch (cause) {
		const { code, message } = cause as NodeJS.ErrnoException;
		throw new Error(
			code === "EADDRINUSE"
				? `port ${port} for ${purpose} is taken by another program: end that program or choose another port`
				: `cannot listen on ${host}:${port} for ${purpose}: ${message}`,
			{ cause },
		);
	}
	return (server.address() as AddressInfo).port;
}

function refuseToStart(reason: string): never {
	process.stderr.write(`${reason}\n`);
	process.exit(1);
}

const statePath = process.argv[2];
if (statePath === undefined) {
	refuseToStart("give the path of the state file: node --require tsx/cjs gateway/main.ts <state-file>");
}
run(statePath).catch((error: Error) => refuseToStart(error.message));
