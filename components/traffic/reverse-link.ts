import {
	commonTables,
	createPublication,
	createSlot,
	dropLink,
	relayEverything,
	relayOwnOnly,
	startSubscription,
} from "../replication/link";
import { catchUp, type LinkEnds, linkState } from "../replication/link-state";
import { noteLinkedSchema } from "../replication/linked-schema";
import { linkName, type Node, withNode } from "../replication/node";
import { identifyRows, restoreIdentities } from "../replication/replica-identity";
import { replicatedTables } from "../replication/tables";

const IDENTITY_TIMEOUT_MS = 30_000;

export interface WayBackOptions {
	/** Other colours that follow the old side. */
	followers?: readonly Node[];
	limits: { slotTimeoutMs: number; catchUpTimeoutMs: number; maxLagBytes: number };
	log(line: string): void;
}

/**
 * Makes the link from the new side back to the old one, before the first write on the new side; one that is there and
 * going on is left alone. Must come after the migrations: what a migration changes on the new side alone would
 * otherwise be sent back, over newer writes.
 *
 * @returns whether it was made now
 */
export async function linkBack(ends: LinkEnds, options: WayBackOptions): Promise<boolean> {
	const { limits, log, followers = [] } = options;
	const back: LinkEnds = { from: ends.to, to: ends.from };
	const { node: old } = ends.from;
	const { node: fresh } = ends.to;
	const enough = { maxLagBytes: limits.maxLagBytes, timeoutMs: limits.catchUpTimeoutMs };
	// It has caught up, so what a third colour had written is there already.
	if (await relayOwnOnly(ends.to.client, linkName(old, fresh))) {
		await catchUp(ends, enough, log);
	}
	for (const follower of followers) {
		await withNode(follower, "deployment-replication", (client) =>
			relayEverything(client, linkName(old, follower)),
		);
	}
	const present = await linkState(back);
	const made = present.fault !== undefined;
	if (made) {
		try {
			await identifyRows(back.from.client, await replicatedTables(back.from.client), IDENTITY_TIMEOUT_MS);
			const [from, to] = await Promise.all([
				replicatedTables(back.from.client),
				replicatedTables(back.to.client),
			]);
			await dropLink(fresh, old);
			await createPublication(back.from.client, linkName(fresh, old), commonTables(from, to));
			await createSlot(fresh, linkName(fresh, old), limits.slotTimeoutMs);
			await startSubscription(fresh, old);
			await noteLinkedSchema(back);
			await catchUp(back, enough, log);
		} catch (error) {
			await cleanUp(() => unlinkBack(ends), log);
			throw error;
		}
	} else {
		await catchUp(back, enough, log);
	}
	return made;
}

/** Takes away what came to nothing, without hiding why it did: what cannot be taken away, the next update takes away. */
export async function cleanUp(work: () => Promise<void>, log: (line: string) => void): Promise<void> {
	try {
		await work();
	} catch (error) {
		log(`not everything could be taken away: ${error instanceof Error ? error.message : String(error)}`);
	}
}

/** Ends the way back, where no switch came of it. */
export async function unlinkBack(ends: LinkEnds): Promise<void> {
	await dropLink(ends.to.node, ends.from.node);
	await restoreIdentities(ends.to.client, IDENTITY_TIMEOUT_MS);
}
