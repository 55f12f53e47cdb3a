import { waitUntilHealthy } from "../health/checks";
import {
	type ColorServers,
	liveNode,
	nextEpoch,
	nodeOf,
	type ObservedNode,
	observeNodes,
} from "../replication/environment";
import { catchUp, LostLink, linkState, withLink } from "../replication/link-state";
import { type Color, type Node, nodeName, withNode } from "../replication/node";
import { type CutoverLimits, type CutoverReport, cutover, type Side } from "./cutover";
import type { Router, Target } from "./routing";
import { reopen } from "./standstill";
import { installFence, openFence } from "./write-fence";

/** A colour as the stack declares it. */
export interface DeclaredSide extends Target {
	color: Color;
	generation: number;
	release: string;
}

export interface MoveOptions {
	servers: ColorServers;
	/** The colour that shall have the traffic. */
	live: DeclaredSide;
	/** The other declared one. */
	idle?: DeclaredSide;
	router: Router;
	publicUrl: string;
	limits: CutoverLimits;
	log(line: string): void;
	step?(name: string): void;
	/** Called once it is known that writes have to move, before they do. */
	onCutover?(from: Node, to: Node): Promise<void>;
}

/** What was done to bring the traffic where it belongs. */
export interface Move {
	/**
	 * - `opened`: no colour had the traffic before.
	 * - `switched`: writes moved from another colour.
	 * - `routed`: the colour has the writes already; requests go there now.
	 */
	what: "opened" | "switched" | "routed";
	/** The colour to go back to, where there is one. */
	previous?: Side;
	report?: CutoverReport;
}

const FENCE_TIMEOUT_MS = 30_000;
/** How long traffic that goes back waits for long transactions before it ends them, in milliseconds. */
const SHORT_PATIENCE_MS = 2000;

/**
 * Brings the traffic to a colour, from whatever an earlier update has left: a colour that was never live, the other
 * colour live, a cutover that died half-way, or writes that have moved already and requests that have not.
 */
export async function moveTraffic(options: MoveOptions): Promise<Move> {
	const { servers, live, router, publicUrl, limits, log } = options;
	const to: Side = { node: nodeOf(servers, live.color, live.generation), target: target(live) };
	const observed = await observeNodes(servers);
	const found = liveNode(observed);
	if (found === undefined) {
		await openFirst(to, observed, router, limits);
		await waitUntilHealthy(publicUrl, live.release, limits.healthTimeoutMs / 1000);
		return { what: "opened" };
	}
	if (nodeName(found.node) === nodeName(to.node)) {
		const wasOpen = found.fence?.open === true;
		await router.prepare(to.target, limits.healthTimeoutMs);
		await reopen(found, log);
		await router.route(to.target);
		await router.releaseForsaken();
		log(`traffic goes to ${nodeName(to.node)} (${live.url})`);
		await resumeLinks(options, to.node);
		const previous = wasOpen ? await previousSide(options, observed, to.node) : undefined;
		return { what: "routed", ...(previous && { previous }) };
	}
	// Of a cutover that died while all were closed: the colour that was live last has every write.
	await reopen(found, log);
	await router.releaseForsaken();
	await assertFollows(found.node, to.node, options);
	const from = (await sideOf(options, found.node)) ?? { node: found.node, target: to.target };
	await options.onCutover?.(from.node, to.node);
	const report = await cutover({
		from,
		to,
		followers: followers(observed, from.node, to.node),
		router,
		limits,
		log,
		...(options.step && { step: options.step }),
	});
	return { what: "switched", previous: from, report };
}

/**
 * Lets the links between the colours go on: one that an update watched stops when its connection is lost, as with a
 * server that ended. The live colour does not depend on them, so that what stops one again is only told.
 */
async function resumeLinks({ servers, idle, limits, log }: MoveOptions, live: Node): Promise<void> {
	if (idle === undefined) {
		return;
	}
	const other = nodeOf(servers, idle.color, idle.generation);
	const catchUpLimits = { maxLagBytes: limits.maxLagBytes, timeoutMs: limits.catchUpTimeoutMs };
	await withLink(live, other, async ({ from, to }) => {
		for (const ends of [
			{ from, to },
			{ from: to, to: from },
		]) {
			const { fault, streaming } = await linkState(ends);
			if (fault !== undefined || !streaming) {
				await catchUp(ends, catchUpLimits, log).catch((error: Error) => log(noWayBack(other, error)));
			}
		}
	});
}

function noWayBack(other: Node, error: Error): string {
	const mend = error instanceof LostLink ? "; the next newer release is built in its place" : "";
	return `${nodeName(other)} cannot be gone back to: ${error.message}${mend}`;
}

/**
 * A third colour that an update was killed with keeps only the colour in step that it was built from: the traffic goes
 * back one by one.
 *
 * @throws Error naming the release that has to come first
 */
async function assertFollows(from: Node, to: Node, { live, idle }: MoveOptions): Promise<void> {
	const declared = [live, ...(idle === undefined ? [] : [idle])].map(nodeName);
	if (idle === undefined || declared.includes(nodeName(from))) {
		return;
	}
	const { fault, stopped } = await withLink(from, to, linkState);
	if (fault !== undefined && !stopped) {
		throw new Error(
			`${nodeName(to)} does not follow ${nodeName(from)}, which got the traffic by an update that did not come to its end: ` +
				`set the release to ${idle.release} (on ${nodeName(idle)}) and run the update, then set it to ${live.release} and run it again`,
		);
	}
}

/** Sends the traffic back where it came from; transactions of a failing release that stay open are ended. */
export function moveBack(options: MoveOptions, from: Side, to: Side): Promise<CutoverReport> {
	const { router, log, step } = options;
	// The release that fails may be what keeps transactions open.
	const limits = { ...options.limits, longTransactionMs: SHORT_PATIENCE_MS, endLongTransactions: true };
	return cutover({ from, to, router, limits, log, ...(step && { step }) });
}

async function openFirst(
	to: Side,
	observed: readonly ObservedNode[],
	router: Router,
	limits: CutoverLimits,
): Promise<void> {
	await router.prepare(to.target, limits.healthTimeoutMs);
	await withNode(to.node, "deployment-traffic", async (client) => {
		await installFence(client, to.node.owner, FENCE_TIMEOUT_MS);
		await openFence(client, nextEpoch(observed));
	});
	await router.route(to.target);
}

function followers(observed: readonly ObservedNode[], from: Node, to: Node): Node[] {
	const both = [nodeName(from), nodeName(to)];
	return observed.map(({ node }) => node).filter((node) => !both.includes(nodeName(node)));
}

/** The colour that was live before this one and has gone on receiving everything. */
async function previousSide(
	options: MoveOptions,
	observed: readonly ObservedNode[],
	live: Node,
): Promise<Side | undefined> {
	const earlier = observed.filter(
		({ node, fence }) => nodeName(node) !== nodeName(live) && (fence?.epoch ?? 0) > 0,
	);
	const last = earlier.sort((left, right) => (right.fence?.epoch ?? 0) - (left.fence?.epoch ?? 0))[0];
	return last && sideOf(options, last.node);
}

/** What carries a colour's traffic: declared, or else what the router sends requests to now. */
async function sideOf({ idle, router }: MoveOptions, node: Node): Promise<Side | undefined> {
	if (idle !== undefined && nodeName(idle) === nodeName(node)) {
		return { node, target: target(idle) };
	}
	const active = await router.active();
	return active && { node, target: active };
}

function target({ targetGroup, url }: DeclaredSide): Target {
	return { targetGroup, url };
}
