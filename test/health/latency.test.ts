import assert from "node:assert/strict";
import fc from "fast-check";
import { percentile } from "../../components/health/latency";

const buckets = (...counts: number[]) =>
	[10, 20, 100, null].map((leMs, index) => ({ leMs, count: counts[index] ?? 0 }));

describe("a percentile of a latency", () => {
	it("is not known of no requests", () => {
		assert.equal(percentile([], 0.95), undefined);
		assert.equal(percentile(buckets(0, 0, 0, 0), 0.95), undefined);
	});

	it("lies within its bucket as far as requests fill it", () => {
		assert.deepEqual(percentile(buckets(100), 0.95), { ms: 9.5, more: false });
		assert.deepEqual(percentile(buckets(90, 10), 0.95), { ms: 15, more: false });
		assert.deepEqual(percentile(buckets(0, 0, 10), 0.5), { ms: 60, more: false });
	});

	it("is the bucket's limit when it falls right there", () => {
		assert.deepEqual(percentile(buckets(95, 0, 5), 0.95), { ms: 10, more: false });
	});

	it("is more than the last limit when it lies beyond", () => {
		assert.deepEqual(percentile(buckets(50, 0, 0, 50), 0.95), { ms: 100, more: true });
	});

	it("grows with the share and never leaves the buckets that hold requests", () => {
		const counts = fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 });
		const share = fc.double({ min: 0.01, max: 1, noNaN: true });
		fc.assert(
			fc.property(counts, share, share, (each, one, other) => {
				const low = percentile(buckets(...each), Math.min(one, other));
				const high = percentile(buckets(...each), Math.max(one, other));
				assert.equal(
					low === undefined,
					each.every((count) => count === 0),
				);
				if (low === undefined || high === undefined) return;
				assert.ok(low.ms <= high.ms && low.ms >= 0 && high.ms <= 100);
			}),
		);
	});
});
