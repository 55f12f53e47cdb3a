import { withClient } from "../database/connection";
import { type ColorServers, nodeOf, observeNodes } from "./environment";
import { dropSlot, dropSource, dropSubscription } from "./link";
import { type Color, linkName, type Node, nodeName, withNode } from "./node";
import { restoreIdentities } from "./replica-identity";

const APPLICATION = "deployment-replication";
const IDENTITY_TIMEOUT_MS = 30_000;

/**
 * Ends every link from and to a colour, on both sides, so that its database can be dropped and no slot goes on keeping
 * changes for it. Works as well when the database is gone already. Can be repeated.
 */
export async function detachNode(servers: ColorServers, color: Color, generation: number): Promise<void> {
	const gone = nodeOf(servers, color, generation);
	const observed = (await observeNodes(servers)).map(({ node }) => node);
	for (const other of observed.filter((node) => nodeName(node) !== nodeName(gone))) {
		await withNode(other, APPLICATION, async (client) => {
			await dropSubscription(client, linkName(gone, other));
			await dropSource(client, linkName(other, gone));
			await restoreIdentities(client, IDENTITY_TIMEOUT_MS);
		});
	}
	await endOwnLinks(
		servers,
		gone,
		observed.some((node) => nodeName(node) === nodeName(gone)),
	);
}

/** What the colour itself still has, also towards colours that are gone. */
async function endOwnLinks(servers: ColorServers, gone: Node, exists: boolean): Promise<void> {
	const slots = `${gone.base}_${gone.generation}_to_`;
	if (exists) {
		await withNode(gone, APPLICATION, async (client) => {
			const { rows } = await client.query<{ name: string }>(
				`SELECT subname AS name FROM pg_subscription
				WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
			);
			for (const { name } of rows.filter((row) => isLink(row.name, gone))) {
				await dropSubscription(client, name);
			}
		});
	}
	await withClient(servers[gone.color], { applicationName: APPLICATION }, async (client) => {
		const { rows } = await client.query<{ name: string }>(
			"SELECT slot_name AS name FROM pg_replication_slots WHERE starts_with(slot_name, $1) AND database = $2",
			[slots, gone.admin.database],
		);
		for (const { name } of rows) {
			await dropSlot(client, name);
		}
	});
}

function isLink(name: string, { base, generation }: Node): boolean {
	return name.startsWith(`${base}_`) && name.endsWith(`_to_${generation}`);
}
