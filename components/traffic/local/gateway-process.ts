import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { GatewayClient, GatewayError } from "../../../gateway/client";
import { type GatewayState, gatewayStateSchema, saveState } from "../../../gateway/state";
import { poll } from "../../local/deadline";
import { claimPort, LOOPBACK } from "../../local/port";
import { isRunning, lastLogLines, launch, logFile, stop } from "../../local/process";
import { routerState } from "./router-file";

export interface GatewayOptions {
	/** The gateway's state file; its other files lie beside it. */
	stateFile: string;
	/** A port to keep to; a free one is chosen once and kept when it is left out. */
	port?: number;
	/** Seconds until starting or stopping is given up. */
	timeoutSeconds: number;
}

const TOKEN_BYTES = 24;
const POLL_INTERVAL_MS = 50;
const MEND = "set `gatewayPort` to another one";

/**
 * Brings the gateway up: starts it with the routes it had, or finds it running and leaves it alone. Returns its public
 * address.
 *
 * @throws Error when its port is taken or it does not answer in time
 */
export async function ensureGateway(options: GatewayOptions): Promise<{ url: string; started: boolean }> {
	const { stateFile, timeoutSeconds } = options;
	const old = routerState(stateFile);
	if (old !== undefined && (await isGatewayServing(options))) {
		return { url: publicUrl(old.port), started: false };
	}
	const directory = dirname(stateFile);
	const wanted = options.port ?? old?.port;
	const moves = wanted === undefined || wanted !== old?.port;
	// A new port is claimed before the gateway on the old one ends: if it is taken, nothing has happened.
	const claimed = moves ? await claimPort(wanted, "the gateway", MEND) : undefined;
	if (old !== undefined) {
		await stop({ directory, instance: old.instance }, timeoutSeconds * 1000);
	}
	const instance = `gateway-${randomBytes(4).toString("hex")}`;
	const port = claimed ?? (await claimPort(wanted, "the gateway", MEND));
	const state = gatewayStateSchema.parse({
		...(old ?? { host: LOOPBACK, token: randomBytes(TOKEN_BYTES).toString("base64url") }),
		port,
		adminPort: await claimPort(undefined, "the gateway's admin endpoint", MEND),
		instance,
	});
	saveState(stateFile, state);
	const process_ = { directory, instance };
	await launch({ ...process_, entry: "gateway/main.ts", args: [stateFile], environment: {} });
	const outcome = await poll(timeoutSeconds * 1000, POLL_INTERVAL_MS, async () => {
		if (await answers(state)) {
			return "serving";
		}
		return (await isRunning(process_)) ? undefined : "ended";
	});
	if (outcome !== "serving") {
		await stop(process_, timeoutSeconds * 1000);
		const what = outcome === "ended" ? "ended" : `did not answer within ${timeoutSeconds} s`;
		throw new Error(`the gateway ${what}; last lines of ${logFile(process_)}:\n${lastLogLines(process_)}`);
	}
	return { url: publicUrl(port), started: true };
}

/** Whether the stack's own gateway runs on the wanted port; asked by previews, so nothing is changed. */
export async function isGatewayServing({ stateFile, port }: GatewayOptions): Promise<boolean> {
	const state = routerState(stateFile);
	return (
		state !== undefined &&
		(port ?? state.port) === state.port &&
		(await isRunning({ directory: dirname(stateFile), instance: state.instance })) &&
		(await answers(state))
	);
}

/** Stops the gateway and removes its folder. */
export async function removeGateway({ stateFile, timeoutSeconds }: GatewayOptions): Promise<void> {
	const state = routerState(stateFile);
	const directory = dirname(stateFile);
	if (state !== undefined) {
		await stop({ directory, instance: state.instance }, timeoutSeconds * 1000);
	}
	rmSync(directory, { recursive: true, force: true });
}

function publicUrl(port: number): string {
	return `http://${LOOPBACK}:${port}`;
}

async function answers(state: GatewayState): Promise<boolean> {
	try {
		return (await new GatewayClient(state).instance()) === state.instance;
	} catch (error) {
		if (error instanceof GatewayError) {
			return false;
		}
		throw error;
	}
}
