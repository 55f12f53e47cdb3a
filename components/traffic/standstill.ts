import { type ColorServers, liveNode, type ObservedNode, observeNodes } from "../replication/environment";
import { nodeName, withNode } from "../replication/node";
import type { Router, Target } from "./routing";
import { openFence } from "./write-fence";

export interface StandstillOptions {
	servers: ColorServers;
	router: Pick<Router, "active" | "route" | "releaseForsaken" | "targetsOf">;
}

/**
 * Whether writes are refused because a cutover died in the middle of it: every colour is closed, or the router sends
 * requests to another one than that which is open. Reads only.
 */
export async function isAtStandstill(
	observed: readonly ObservedNode[],
	options: StandstillOptions,
): Promise<boolean> {
	const live = liveNode(observed);
	return live !== undefined && (live.fence?.open !== true || (await misrouted(live, options)) !== undefined);
}

/**
 * Lets writes through again, before an update does anything that takes time: the colour that has every write is opened,
 * and the router sends requests there. Which colour the update wants to be live is for the cutover, later. Nobody else
 * may be deploying.
 */
export async function endStandstill(options: StandstillOptions & { log(line: string): void }): Promise<void> {
	const { servers, router, log } = options;
	const live = liveNode(await observeNodes(servers));
	if (live === undefined) {
		return;
	}
	await reopen(live, log);
	const target = await misrouted(live, options);
	if (target !== undefined) {
		log(
			`requests go to ${nodeName(live.node)} (${target.url}), which has the writes, instead of another colour`,
		);
		await router.route(target);
	}
	await router.releaseForsaken();
}

/** Opens a colour that was left closed, as the one that has every write. */
export async function reopen({ node, fence }: ObservedNode, log: (line: string) => void): Promise<void> {
	if (fence === undefined || fence.open) {
		return;
	}
	log(`${nodeName(node)} was left closed by an update that did not come to its end: it is opened again`);
	await withNode(node, "deployment-traffic", (client) => openFence(client, fence.epoch));
}

/** Where requests for the live colour should go, if they go elsewhere and the router knows the right target. */
async function misrouted({ node }: ObservedNode, { router }: StandstillOptions): Promise<Target | undefined> {
	const active = await router.active();
	const own = await router.targetsOf(nodeName(node));
	return own.some(({ targetGroup }) => targetGroup === active?.targetGroup) ? undefined : own.at(-1);
}
