import type { TrafficCounters } from "../traffic/routing";
import type { LatencyBuckets } from "./latency";

/** What passed between two looks. */
export interface Traffic {
	requests: number;
	failures: number;
	latencyBuckets: LatencyBuckets;
	/** Milliseconds from the first look to the second. */
	spanMs: number;
}

interface Sample extends TrafficCounters {
	/** Milliseconds on the watch's clock. */
	at: number;
}

/** A router's counters over time, as if they had begun at zero with the first look and never been set back. */
export class TrafficWatch {
	private readonly samples: Sample[] = [];
	private last: TrafficCounters | undefined;

	/** @param at milliseconds on a clock that never goes back */
	add(at: number, counters: TrafficCounters): void {
		const before = this.samples.at(-1);
		this.samples.push({
			at,
			...(before === undefined || this.last === undefined
				? sumOf(counters, counters, -1)
				: sumOf(before, isContinued(this.last, counters) ? sumOf(counters, this.last, -1) : counters, 1)),
		});
		this.last = counters;
	}

	/** All that passed since the first look. */
	total(): Traffic {
		return this.since(this.samples[0]);
	}

	/**
	 * What passed lately: in the time given, or longer when there were fewer requests.
	 *
	 * @returns undefined before that much has passed
	 */
	recent(leastMs: number, leastRequests: number): Traffic | undefined {
		for (let index = this.samples.length - 1; index >= 0; index--) {
			const traffic = this.since(this.samples[index]);
			if (traffic.spanMs >= leastMs && traffic.requests >= leastRequests) {
				return traffic;
			}
		}
		return undefined;
	}

	private since(first: Sample | undefined): Traffic {
		const last = this.samples.at(-1);
		if (first === undefined || last === undefined) {
			return { requests: 0, failures: 0, latencyBuckets: [], spanMs: 0 };
		}
		return { ...sumOf(last, first, -1), spanMs: last.at - first.at };
	}
}

/** Counters that fell belong to a router that was started anew and counts from zero. */
function isContinued(before: TrafficCounters, after: TrafficCounters): boolean {
	return (
		after.requests >= before.requests &&
		after.failures >= before.failures &&
		before.latencyBuckets.every(({ leMs, count }) => (countOf(after.latencyBuckets, leMs) ?? -1) >= count)
	);
}

function sumOf(left: TrafficCounters, right: TrafficCounters, sign: 1 | -1): TrafficCounters {
	return {
		requests: left.requests + sign * right.requests,
		failures: left.failures + sign * right.failures,
		latencyBuckets: boundsOf(left, right).map((leMs) => ({
			leMs,
			count: (countOf(left.latencyBuckets, leMs) ?? 0) + sign * (countOf(right.latencyBuckets, leMs) ?? 0),
		})),
	};
}

/** A router that was started anew may be of another version, with other buckets. */
function boundsOf(left: TrafficCounters, right: TrafficCounters): (number | null)[] {
	const bounds = new Set([...left.latencyBuckets, ...right.latencyBuckets].map(({ leMs }) => leMs));
	return [...bounds].sort((a, b) => (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY));
}

function countOf(buckets: LatencyBuckets, leMs: number | null): number | undefined {
	return buckets.find((bucket) => bucket.leMs === leMs)?.count;
}
