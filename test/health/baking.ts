import assert from "node:assert/strict";
import { BakeFailure, type BakeOptions, type BakeReport, bake } from "../../components/health/bake";
import type { TrafficCounters } from "../../components/traffic/routing";

const LIMITS = [10, 100, 1000, null];

/** A router's counters that a test moves on. */
export class Counters {
	requests = 0;
	failures = 0;
	private readonly counts = LIMITS.map(() => 0);

	/** @param bucket which of the limits the requests stay below */
	pass(requests: number, failures = 0, bucket = 0): void {
		this.requests += requests;
		this.failures += failures;
		this.counts[bucket] = (this.counts[bucket] ?? 0) + requests;
	}

	restart(): void {
		this.requests = 0;
		this.failures = 0;
		this.counts.fill(0);
	}

	read(): TrafficCounters {
		return {
			requests: this.requests,
			failures: this.failures,
			latencyBuckets: LIMITS.map((leMs, index) => ({ leMs, count: this.counts[index] ?? 0 })),
		};
	}
}

export interface Baked {
	report?: BakeReport;
	failure?: BakeFailure;
	log: string[];
	looks: number;
}

/**
 * Bakes on a clock that the bake's own waiting moves.
 *
 * @param options.each called before each look but the first, with the second that it is at
 */
export async function baked({
	each = () => {},
	counters = new Counters(),
	...options
}: Partial<Omit<BakeOptions, "counters">> & {
	each?: (second: number) => void;
	counters?: Counters;
}): Promise<Baked> {
	let now = 5000;
	let looks = 0;
	const log: string[] = [];
	const outcome = await bake({
		seconds: 10,
		maxErrorPercent: 1,
		maxLatencyMs: 500,
		checkHealth: async () => undefined,
		checkReplication: async () => undefined,
		async counters() {
			looks++;
			return counters.read();
		},
		log: (line) => log.push(line),
		clock: {
			now: () => now,
			async sleep(ms) {
				now += ms;
				each((now - 5000) / 1000);
			},
		},
		...options,
	}).then(
		(report) => ({ report }),
		(failure: unknown) => {
			assert.ok(failure instanceof BakeFailure, String(failure));
			return { failure };
		},
	);
	return { ...outcome, log, looks };
}
