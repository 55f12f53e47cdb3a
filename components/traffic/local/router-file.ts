import { existsSync } from "node:fs";
import { type GatewayState, loadState } from "../../../gateway/state";

/** What the router was last told, or undefined before it first ran. */
export function routerState(file: string): GatewayState | undefined {
	return existsSync(file) ? loadState(file) : undefined;
}

/** The release that has the traffic, which an interrupted update may have moved without the state knowing. */
export function routedRelease(file: string): string | undefined {
	return /^(\d+\.\d+\.\d+)-/.exec(routerState(file)?.active ?? "")?.[1];
}

/** The service addresses that the router sends traffic to. */
export function routedUrls(file: string): string[] {
	const state = routerState(file);
	const active = state?.active ? state.targets[state.active] : undefined;
	return active === undefined ? [] : [active.url];
}
