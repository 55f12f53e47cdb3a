import type { Client } from "pg";
import { poll } from "../local/deadline";
import { StuckTraffic } from "../pipeline/deployment";
import { catchUp, type LinkEnds, LostLink } from "../replication/link-state";
import { assertSchemaUnchanged } from "../replication/linked-schema";
import { nodeName } from "../replication/node";
import type { Router, Target } from "./routing";
import { fenceState, installFence, openWriters, type Writer } from "./write-fence";

export { StuckTraffic };

export interface GuardLimits {
	/** Milliseconds until the new side has caught up. */
	catchUpTimeoutMs: number;
	/** Lag in bytes above which no cutover begins. */
	maxLagBytes: number;
	/** Milliseconds to wait for long transactions on the old side. */
	longTransactionMs: number;
	/** Whether they are ended then, instead of the cutover being given up. */
	endLongTransactions: boolean;
	/** Milliseconds until the router finds the new side healthy. */
	healthTimeoutMs: number;
}

/** What a writing transaction may last without being in the way of a cutover, in milliseconds. */
const SHORT_MS = 1000;
const POLL_MS = 100;
/** What it may take to put the fence on tables that new migrations have made, in milliseconds. */
const FENCE_TIMEOUT_MS = 30_000;

/**
 * What must be true before a pause begins: the service is healthy, the schema is as it was copied, the data has caught
 * up, and no transaction is open that the pause would have to wait for.
 */
export async function guard(options: {
	ends: LinkEnds;
	target: Target;
	router: Pick<Router, "prepare">;
	limits: GuardLimits;
	log(line: string): void;
}): Promise<void> {
	const { ends, target, router, limits, log } = options;
	await router.prepare(target, limits.healthTimeoutMs);
	await installFence(ends.to.client, ends.to.node.owner, FENCE_TIMEOUT_MS);
	await assertSchemaUnchanged(ends);
	await catchUp(ends, { maxLagBytes: limits.maxLagBytes, timeoutMs: limits.catchUpTimeoutMs }, log).catch(
		async (error: unknown) => {
			throw error instanceof LostLink ? await withMend(error, ends) : error;
		},
	);
	await waitForLongTransactions(ends.from.client, nodeName(ends.from.node), limits, log);
}

/** What to do about a link that is lost: a colour that has served before is not built again for the same release. */
async function withMend(error: LostLink, { from, to }: LinkEnds): Promise<Error> {
	const served = ((await fenceState(to.client))?.epoch ?? 0) > 0;
	const mend = served
		? `the traffic cannot go back to ${nodeName(to.node)} any more; to have its release again, give it a newer version: it is ` +
			`then built from a copy of ${nodeName(from.node)}`
		: `run the update again: it copies ${nodeName(to.node)} anew`;
	return new Error(`${error.message}; ${mend}`, { cause: error });
}

async function waitForLongTransactions(
	client: Client,
	name: string,
	limits: GuardLimits,
	log: (line: string) => void,
): Promise<void> {
	let long: Writer[] = [];
	let told = false;
	const none = await poll(limits.longTransactionMs, POLL_MS, async () => {
		long = (await openWriters(client)).filter(({ ageMs }) => ageMs > SHORT_MS);
		if (long.length > 0 && !told) {
			told = true;
			log(`waiting up to ${limits.longTransactionMs / 1000} s for ${describe(long)} on ${name}`);
		}
		return long.length === 0 || undefined;
	});
	if (none !== undefined) {
		return;
	}
	if (!limits.endLongTransactions) {
		throw new Error(
			`${describe(long)} on ${name} did not end within ${limits.longTransactionMs / 1000} s: end it, ` +
				"raise longTransactionSeconds, or set endLongTransactions",
		);
	}
	log(`ending ${describe(long)} on ${name}`);
	await client.query("SELECT pg_terminate_backend(pid, 5000) FROM unnest($1::integer[]) AS pid", [
		long.map(({ pid }) => pid),
	]);
}

function describe(writers: readonly Writer[]): string {
	const [oldest] = writers;
	const more = writers.length > 1 ? ` and ${writers.length - 1} more` : "";
	return oldest === undefined
		? "no transaction"
		: `the transaction of process ${oldest.pid} (${oldest.application || "no name"}, role ${oldest.role}), open for ${Math.round(oldest.ageMs / 1000)} s${more},`;
}
