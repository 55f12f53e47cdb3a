import type { TrafficCounters } from "../traffic/routing";

export type LatencyBuckets = TrafficCounters["latencyBuckets"];

export interface Percentile {
	ms: number;
	/** It lies in the bucket without a limit: all that is known is that it is more. */
	more: boolean;
}

/**
 * The latency that a share of the requests stayed below, in milliseconds, taken to be spread evenly within its bucket.
 *
 * @param share between 0 and 1
 * @returns undefined when there were no requests
 */
export function percentile(buckets: LatencyBuckets, share: number): Percentile | undefined {
	const rank = share * buckets.reduce((sum, { count }) => sum + count, 0);
	let below = 0;
	let lowest = 0;
	for (const { leMs, count } of buckets) {
		if (count > 0 && below + count >= rank) {
			return leMs === null
				? { ms: lowest, more: true }
				: { ms: lowest + ((leMs - lowest) * (rank - below)) / count, more: false };
		}
		below += count;
		lowest = leMs ?? lowest;
	}
	return undefined;
}

export function describePercentile({ ms, more }: Percentile): string {
	return more ? `more than ${ms} ms` : `${Math.round(ms)} ms`;
}
