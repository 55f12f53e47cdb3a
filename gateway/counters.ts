import type { Counters } from "./protocol";

const BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

export type Outcome = "answered" | "failed" | "aborted";

/** What a target has done since it was added. */
export class RequestCounters {
	private requests = 0;
	private failures = 0;
	private aborted = 0;
	private sumMs = 0;
	/** One more than the limits: the last has none. */
	private readonly buckets = new Array<number>(BUCKETS_MS.length + 1).fill(0);

	record(outcome: Outcome, milliseconds: number): void {
		this.requests += 1;
		this.failures += outcome === "failed" ? 1 : 0;
		this.aborted += outcome === "aborted" ? 1 : 0;
		this.sumMs += milliseconds;
		const found = BUCKETS_MS.findIndex((limit) => milliseconds <= limit);
		const bucket = found === -1 ? BUCKETS_MS.length : found;
		this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
	}

	status(): Counters {
		return {
			requests: this.requests,
			failures: this.failures,
			aborted: this.aborted,
			latency: {
				sumMs: Math.round(this.sumMs * 1000) / 1000,
				buckets: this.buckets.map((count, index) => ({ leMs: BUCKETS_MS[index] ?? null, count })),
			},
		};
	}
}
