import { z } from "zod";
import { addressSchema, connectionSchema, withClient } from "../database/connection";
import { type FenceState, fenceState } from "../traffic/write-fence";
import { COLORS, type Color, type Node, nodeName, withNode } from "./node";

/** Where the colours of a stack live; known before any of them does. */
export const colorServersSchema = z.strictObject({
	/** Begins the names of the colours' databases and of all that replication makes. */
	base: z.string().regex(/^[a-z0-9_]{1,40}$/),
	/** Each colour's server as its administrator, by way of any database; one server may serve both. */
	blue: connectionSchema,
	green: connectionSchema,
	/** Where the servers reach each other, if that is not where the deployment reaches them. */
	inside: z.strictObject({ blue: addressSchema, green: addressSchema }).optional(),
	/** The role that colours copy from each other with, on every server. */
	replicationUser: z.string(),
	replicationPassword: z.string(),
});

export type ColorServers = z.infer<typeof colorServersSchema>;

/** A colour that exists, and whether the application may write into it. */
export interface ObservedNode {
	node: Node;
	/** Undefined before its schema is there. */
	fence: FenceState | undefined;
}

const APPLICATION = "deployment-colors";

/** The database of a colour's generation. */
export function colorDatabase(base: string, color: Color, generation: number): string {
	return `${base}_${color}_${generation}`;
}

export function nodeOf(servers: ColorServers, color: Color, generation: number): Node {
	const database = colorDatabase(servers.base, color, generation);
	const admin = { ...servers[color], database };
	const replication = { ...admin, user: servers.replicationUser, password: servers.replicationPassword };
	return {
		base: servers.base,
		color,
		generation,
		admin,
		owner: `${database}_owner`,
		replication,
		...(servers.inside && { publisher: { ...replication, ...servers.inside[color] } }),
	};
}

/**
 * Every generation of every colour that has a database, whether the stack's state knows of it or not.
 *
 * @throws Error when a server does not answer
 */
export async function observeNodes(servers: ColorServers): Promise<ObservedNode[]> {
	const found = await Promise.all(COLORS.map((color) => generationsOf(servers, color)));
	return Promise.all(
		found.flat().map(async (node) => ({ node, fence: await withNode(node, APPLICATION, fenceState) })),
	);
}

async function generationsOf(servers: ColorServers, color: Color): Promise<Node[]> {
	const prefix = colorDatabase(servers.base, color, 0).slice(0, -1);
	const names = await withClient(servers[color], { applicationName: APPLICATION }, async (client) => {
		const { rows } = await client.query<{ datname: string }>(
			"SELECT datname FROM pg_database WHERE starts_with(datname, $1) AND datallowconn AND datconnlimit <> -2",
			[prefix],
		);
		return rows.map(({ datname }) => datname.slice(prefix.length));
	});
	return names
		.filter((rest) => /^[1-9]\d*$/.test(rest))
		.map((rest) => nodeOf(servers, color, Number(rest)))
		.sort((left, right) => left.generation - right.generation);
}

/**
 * The colour that the application may write into, or that it could write into last while all are closed.
 *
 * @throws Error when two colours let it write: no one can say which has the truth
 */
export function liveNode(observed: readonly ObservedNode[]): ObservedNode | undefined {
	const open = observed.filter(({ fence }) => fence?.open);
	if (open.length > 1) {
		const names = open.map(({ node }) => nodeName(node)).join(" and ");
		throw new Error(
			`${names} both accept writes, so neither has all of them: compare their data, then close one with ` +
				"UPDATE deployment.write_fence SET closed_until = 'infinity' in its database, and run the update again",
		);
	}
	return open[0] ?? lastOpened(observed);
}

function lastOpened(observed: readonly ObservedNode[]): ObservedNode | undefined {
	const opened = observed.filter(({ fence }) => (fence?.epoch ?? 0) > 0);
	return opened.sort((left, right) => (right.fence?.epoch ?? 0) - (left.fence?.epoch ?? 0))[0];
}

/** The epoch that the next colour to be opened gets. */
export function nextEpoch(observed: readonly ObservedNode[]): number {
	return Math.max(0, ...observed.map(({ fence }) => fence?.epoch ?? 0)) + 1;
}
