import { type ClientBase, escapeIdentifier } from "pg";
import { withClient } from "../database/connection";
import { detachNode } from "./detach";
import { type ColorServers, observeNodes } from "./environment";
import { dropSlot, dropSubscription, stopOnError } from "./link";
import { COLORS, type Node, withNode } from "./node";
import { restoreIdentities } from "./replica-identity";

const APPLICATION = "deployment-replication";
const IDENTITY_TIMEOUT_MS = 30_000;

/**
 * The links that come from, or go to, a generation that is none of those kept, by the names of their slots,
 * publications and subscriptions. A copy that was killed leaves them behind without the stack's state knowing of them,
 * and its slot keeps the log of the live server until the disk is full. Reads only.
 *
 * @param kept generations
 */
export async function forsakenLinks(servers: ColorServers, kept: readonly number[]): Promise<string[]> {
	const nodes = (await observeNodes(servers)).map(({ node }) => node);
	const found = await Promise.all([
		...COLORS.map((color) =>
			withClient(servers[color], { applicationName: APPLICATION }, (client) =>
				names(
					client,
					`SELECT slot_name AS name FROM pg_replication_slots WHERE starts_with(slot_name, $1)
					UNION SELECT subname FROM pg_subscription WHERE starts_with(subname, $1)`,
					servers.base,
				),
			),
		),
		...nodes.map((node) => withNode(node, APPLICATION, (client) => publications(client, node))),
	]);
	return [...new Set(found.flat())].filter((name) => isForsaken(name, servers.base, kept)).sort();
}

/**
 * Takes away the links that {@link forsakenLinks} finds, on every side, so that no slot goes on keeping changes and the
 * databases of given-up colours can be dropped. Can be repeated. Nobody may be building a colour meanwhile.
 *
 * @param kept generations
 * @returns the links that were taken away
 */
export async function sweepForsakenLinks(
	servers: ColorServers,
	kept: readonly number[],
	log: (line: string) => void,
): Promise<string[]> {
	const forsaken = await forsakenLinks(servers, kept);
	if (forsaken.length === 0) {
		return [];
	}
	log(`an update that did not come to its end has left ${forsaken.join(", ")}: taken away`);
	const nodes = (await observeNodes(servers)).map(({ node }) => node);
	for (const { color, generation } of nodes.filter((node) => !kept.includes(node.generation))) {
		await detachNode(servers, color, generation);
	}
	// What is left of generations that have no database any more.
	for (const node of nodes) {
		await withNode(node, APPLICATION, async (client) => {
			for (const name of forsaken) {
				await dropSubscription(client, name);
				await dropOwnSlot(client, name);
				await client.query(`DROP PUBLICATION IF EXISTS ${escapeIdentifier(name)}`);
			}
			await restoreIdentities(client, IDENTITY_TIMEOUT_MS);
		});
	}
	return forsaken;
}

/** Lets every link between colours that are there come back by itself after it has lost its connection. */
export async function letLinksGoOn(servers: ColorServers): Promise<void> {
	for (const { node } of await observeNodes(servers)) {
		await withNode(node, APPLICATION, async (client) => {
			const own = await names(
				client,
				`SELECT subname AS name FROM pg_subscription
				WHERE starts_with(subname, $1) AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
				node.base,
			);
			for (const name of own) {
				await stopOnError(client, name, false);
			}
		});
	}
}

/** A slot can be dropped only by way of its own database. */
async function dropOwnSlot(client: ClientBase, name: string): Promise<void> {
	const { rows } = await client.query(
		"SELECT FROM pg_replication_slots WHERE slot_name = $1 AND database = current_database()",
		[name],
	);
	if (rows.length > 0) {
		await dropSlot(client, name);
	}
}

function publications(client: ClientBase, { base }: Node): Promise<string[]> {
	return names(client, "SELECT pubname AS name FROM pg_publication WHERE starts_with(pubname, $1)", base);
}

async function names(client: ClientBase, sql: string, base: string): Promise<string[]> {
	const { rows } = await client.query<{ name: string }>(sql, [`${base}_`]);
	return rows.map(({ name }) => name);
}

function isForsaken(name: string, base: string, kept: readonly number[]): boolean {
	const ends = /^_(\d+)_to_(\d+)$/.exec(name.slice(base.length));
	return ends !== null && !(kept.includes(Number(ends[1])) && kept.includes(Number(ends[2])));
}
