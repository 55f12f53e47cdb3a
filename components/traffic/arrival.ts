import { answeringRelease } from "../health/checks";
import { poll } from "../local/deadline";

export interface ArrivalOptions {
	/** Where clients come. */
	publicUrl: string;
	/** The release that had the traffic. */
	previous: string;
	/** Milliseconds after which the wait is given up. */
	timeoutMs: number;
	log(line: string): void;
}

const POLL_INTERVAL_MS = 100;
/** A router of many nodes changes them one by one. */
const IN_A_ROW = 3;

/**
 * Waits until the release that had the traffic no longer answers at the public address: a router that has been told
 * where to send requests may take a while until it does. What answers in its place, if anything, is the bake's to judge,
 * and so is a router that never follows.
 */
export async function waitForArrival({ publicUrl, previous, timeoutMs, log }: ArrivalOptions): Promise<void> {
	const start = performance.now();
	let others = 0;
	let wasLate = false;
	const arrived = await poll(timeoutMs, POLL_INTERVAL_MS, async () => {
		const found = await answeringRelease(publicUrl);
		wasLate ||= found === previous;
		others = found === previous ? 0 : others + 1;
		return found === undefined || others === IN_A_ROW || undefined;
	});
	const took = `${((performance.now() - start) / 1000).toFixed(1)} s`;
	if (arrived === undefined) {
		log(`release ${previous} still answers at ${publicUrl} after ${took}`);
	} else if (wasLate) {
		log(`the router has followed the switch after ${took}`);
	}
}
