import { type ColorServers, liveNode, type ObservedNode, observeNodes } from "./environment";
import { linkName, type Node, nodeName, withNode } from "./node";

/** That `to` shall get what is written into `from`. */
export interface Pairing {
	from: Node;
	to: Node;
}

const APPLICATION = "deployment-replication";

/**
 * The links that should be there between one colour and the others, by what the databases themselves say: both ways
 * between the live colour and the one that can be gone back to; from the live one alone to one that never was live; none
 * for a colour on its own.
 *
 * @throws Error when a server does not answer
 */
export async function pairingsOf(
	servers: ColorServers,
	of: Pick<Node, "color" | "generation">,
): Promise<Pairing[]> {
	const observed = await observeNodes(servers);
	const live = liveNode(observed);
	const own = ownOf(observed, of);
	if (live === undefined || own === undefined) {
		return [];
	}
	if (own !== live && !wasLive(own)) {
		return [{ from: live.node, to: own.node }];
	}
	const partner = await partnerOf(live.node, observed);
	const isOfPair = partner !== undefined && [live.node, partner].includes(own.node);
	return isOfPair ? bothWays(live.node, partner) : [];
}

/**
 * The link that a colour which never was live needs to get the traffic; none for the first one.
 *
 * @returns undefined for a colour that was live: the traffic switch sees to its links
 * @throws Error when a server does not answer
 */
export async function pairingsOfNew(
	servers: ColorServers,
	of: Pick<Node, "color" | "generation">,
): Promise<Pairing[] | undefined> {
	const observed = await observeNodes(servers);
	const own = ownOf(observed, of);
	const live = liveNode(observed);
	if (own === undefined || wasLive(own)) {
		return undefined;
	}
	return live === undefined ? [] : [{ from: live.node, to: own.node }];
}

function ownOf(
	observed: readonly ObservedNode[],
	of: Pick<Node, "color" | "generation">,
): ObservedNode | undefined {
	return observed.find(({ node }) => nodeName(node) === nodeName(of));
}

/** The colour that was live last and still follows both ways; when none does, the one that was live last. */
async function partnerOf(live: Node, observed: readonly ObservedNode[]): Promise<Node | undefined> {
	const former = observed
		.filter((each) => each.node !== live && wasLive(each))
		.sort((left, right) => (right.fence?.epoch ?? 0) - (left.fence?.epoch ?? 0))
		.map(({ node }) => node);
	for (const node of former) {
		const linked = await Promise.all(bothWays(live, node).map(isSubscribed));
		if (linked.every(Boolean)) {
			return node;
		}
	}
	return former[0];
}

function bothWays(one: Node, other: Node): Pairing[] {
	return [
		{ from: one, to: other },
		{ from: other, to: one },
	];
}

function isSubscribed({ from, to }: Pairing): Promise<boolean> {
	return withNode(to, APPLICATION, async (client) => {
		const { rows } = await client.query(
			`SELECT FROM pg_subscription WHERE subname = $1
				AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
			[linkName(from, to)],
		);
		return rows.length > 0;
	});
}

function wasLive({ fence }: ObservedNode): boolean {
	return (fence?.epoch ?? 0) > 0;
}
