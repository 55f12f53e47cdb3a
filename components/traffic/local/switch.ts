import { GatewayClient, GatewayError } from "../../../gateway/client";
import { waitUntilHealthy } from "../../health/checks";
import { poll } from "../../local/deadline";
import { StuckTraffic } from "../../pipeline/deployment";
import type { Target } from "../routing";
import { routerState } from "./router-file";

export interface SwitchOptions {
	/** The router's state file. */
	stateFile: string;
	/** The public address. */
	publicUrl: string;
	target: Target;
	/** The release that has to answer through the router. */
	release: string;
	/** Seconds until the traffic goes back. */
	timeoutSeconds: number;
}

const POLL_INTERVAL_MS = 100;

/**
 * Moves the traffic to a target and looks through the router whether the release answers. Returns where the traffic
 * went before.
 *
 * @throws Error when it does not; the traffic has then gone back
 */
export async function switchTraffic(options: SwitchOptions): Promise<Target | undefined> {
	const { stateFile, publicUrl, target, release, timeoutSeconds } = options;
	const gateway = connect(stateFile);
	const previous = activeTarget(stateFile);
	await removeUnused(gateway, [target.targetGroup, previous?.targetGroup]);
	await gateway.putTarget(target.targetGroup, { url: target.url });
	try {
		await routeWhenHealthy(gateway, target, timeoutSeconds);
		await waitUntilHealthy(publicUrl, release, timeoutSeconds);
	} catch (error) {
		await goBack(stateFile, previous, error);
		throw error;
	}
	return previous?.targetGroup === target.targetGroup ? undefined : previous;
}

/** Sends the traffic back where it went before; nowhere, if it went nowhere. */
export async function routeBack(stateFile: string, previous: Target | undefined): Promise<void> {
	const gateway = connect(stateFile);
	if (previous !== undefined) {
		await gateway.putTarget(previous.targetGroup, { url: previous.url });
	}
	await gateway.route({ target: previous?.targetGroup ?? null, requireHealthy: false });
}

/**
 * Sends the traffic back after a failure.
 *
 * @throws StuckTraffic when it does not go back: what it needs must then stay
 */
export async function goBack(
	stateFile: string,
	previous: Target | undefined,
	failure: unknown,
): Promise<void> {
	try {
		await routeBack(stateFile, previous);
	} catch (error) {
		throw new StuckTraffic(`${messageOf(failure)}\nthe traffic could not be sent back: ${messageOf(error)}`, {
			cause: failure,
		});
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** Takes the route away. A router that does not run needs no telling: nobody is served. */
export async function routeNowhere(stateFile: string): Promise<void> {
	if (routerState(stateFile) === undefined) {
		return;
	}
	try {
		await routeBack(stateFile, undefined);
	} catch (error) {
		if (!(error instanceof GatewayError && error.status === undefined)) {
			throw error;
		}
	}
}

/** Where the router sends the traffic, by its own record. */
export function activeTarget(stateFile: string): Target | undefined {
	const state = routerState(stateFile);
	const url = state?.active ? state.targets[state.active]?.url : undefined;
	return state?.active && url !== undefined ? { targetGroup: state.active, url } : undefined;
}

function connect(stateFile: string): GatewayClient {
	const state = routerState(stateFile);
	if (state === undefined) {
		throw new Error(`there is no router at ${stateFile}: run the update again`);
	}
	return new GatewayClient(state);
}

async function routeWhenHealthy(
	gateway: GatewayClient,
	{ targetGroup }: Target,
	timeoutSeconds: number,
): Promise<void> {
	let refusal: GatewayError | undefined;
	const routed = await poll(timeoutSeconds * 1000, POLL_INTERVAL_MS, async () => {
		try {
			return await gateway.route({ target: targetGroup, requireHealthy: true });
		} catch (error) {
			if (!(error instanceof GatewayError) || error.error !== "target_unhealthy") {
				throw error;
			}
			refusal = error;
			return undefined;
		}
	});
	if (routed === undefined) {
		throw refusal ?? new Error(`the router did not take ${targetGroup} within ${timeoutSeconds} s`);
	}
}

/** Targets that earlier updates left behind. */
async function removeUnused(gateway: GatewayClient, used: (string | undefined)[]): Promise<void> {
	const { targets, active } = await gateway.status();
	for (const name of Object.keys(targets)) {
		if (name !== active && !used.includes(name)) {
			await gateway.deleteTarget(name);
		}
	}
}
