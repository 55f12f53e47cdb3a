import assert from "node:assert/strict";
import { baked, Counters } from "./baking";

describe("the traffic during a bake", () => {
	it("ends it as soon as too many requests failed, with the figures", async () => {
		const counters = new Counters();
		const { failure } = await baked({
			counters,
			each: (second) => counters.pass(85, second === 4 ? 12 : 0),
		});
		assert.equal(
			failure?.message,
			"the new colour did not stand its bake (4 of 10 s): 12 of 340 requests failed (3.5 %), at most 1 % may",
		);
		assert.deepEqual(failure?.report, {
			seconds: 4,
			requests: 340,
			failures: 12,
			latencyMs: 9.5,
			passingFaults: [],
		});
	});

	it("is judged by the new colour's time alone", async () => {
		const counters = new Counters();
		counters.pass(100, 100, 3);
		assert.ok((await baked({ counters })).report);
	});

	it("is not judged by fewer than 20 requests", async () => {
		const counters = new Counters();
		const { report, log } = await baked({
			counters,
			each: (second) => counters.pass(second === 1 ? 19 : 0, 0),
		});
		assert.equal(report?.requests, 19);
		assert.match(log[0] ?? "", /19 requests, 0 failed, too few to judge their share/);
		const failing = new Counters();
		assert.ok(
			(
				await baked({
					counters: failing,
					each: (second) => failing.pass(second === 1 ? 19 : 0, second === 1 ? 19 : 0),
				})
			).report,
		);
	});

	it("may have a single failed request at first, and is judged by its share in the end", async () => {
		const many = new Counters();
		const stood = await baked({ counters: many, each: (second) => many.pass(20, second === 1 ? 2 : 0) });
		assert.equal(stood.report?.failures, 2);
		const few = new Counters();
		const failed = await baked({ counters: few, each: (second) => few.pass(5, second === 1 ? 1 : 0) });
		assert.deepEqual(failed.failure?.reasons, ["1 of 50 requests failed (2 %), at most 1 % may"]);
		assert.equal(failed.failure?.report.seconds, 10);
	});

	it("may have as many failures as are allowed, and not one more", async () => {
		const exactly = new Counters();
		assert.ok((await baked({ counters: exactly, each: () => exactly.pass(100, 1) })).report);
		const more = new Counters();
		const { failure } = await baked({
			counters: more,
			each: (second) => more.pass(100, second === 10 ? 2 : 1),
		});
		assert.deepEqual(failure?.reasons, ["11 of 1000 requests failed (1.1 %), at most 1 % may"]);
	});

	it("may not have a single failure where none is allowed", async () => {
		const counters = new Counters();
		const { failure } = await baked({
			counters,
			maxErrorPercent: 0,
			each: (second) => counters.pass(30, second === 2 ? 1 : 0),
		});
		assert.deepEqual(failure?.reasons, ["1 of 60 requests failed (1.7 %), at most 0 % may"]);
		assert.equal(failure?.report.seconds, 2);
	});

	it("ends it when it turns bad late, although the whole would still be within the limit", async () => {
		const counters = new Counters();
		const { failure } = await baked({
			seconds: 1000,
			counters,
			each: (second) => counters.pass(10, second > 900 ? 1 : 0),
		});
		assert.deepEqual(failure?.reasons, ["3 of 100 requests in the last 10 s failed (3 %), at most 1 % may"]);
		assert.equal(failure?.report.seconds, 903);
	});

	it("is looked back at further when requests are few", async () => {
		const counters = new Counters();
		const { failure } = await baked({
			seconds: 3000,
			counters,
			each: (second) => counters.pass(second % 5 === 0 ? 1 : 0, second % 5 === 0 && second > 2900 ? 1 : 0),
		});
		assert.deepEqual(failure?.reasons, ["3 of 20 requests in the last 96 s failed (15 %), at most 1 % may"]);
	});

	it("ends it when it is slow, but not for being slow at first", async () => {
		const slow = new Counters();
		const { failure } = await baked({ counters: slow, each: () => slow.pass(10, 0, 2) });
		assert.deepEqual(failure?.reasons, [
			"the 95th percentile of the latency of 100 requests is 955 ms, at most 500 ms are allowed",
		]);
		assert.equal(failure?.report.seconds, 10);
		const warming = new Counters();
		const { report } = await baked({
			seconds: 60,
			counters: warming,
			each: (second) => warming.pass(second === 1 ? 40 : 100, 0, second === 1 ? 2 : 0),
		});
		assert.equal(report?.requests, 5940);
	});

	it("ends it when it turns slow late", async () => {
		const counters = new Counters();
		const { failure } = await baked({
			seconds: 600,
			counters,
			each: (second) => counters.pass(100, 0, second > 500 ? 3 : 0),
		});
		assert.deepEqual(failure?.reasons, [
			"the 95th percentile of the latency of 1000 requests in the last 10 s is more than 1000 ms, at most 500 ms are " +
				"allowed",
		]);
		assert.equal(failure?.report.seconds, 501);
	});

	it("is counted on when the router is started anew", async () => {
		const counters = new Counters();
		counters.pass(5000, 0);
		const { report } = await baked({
			counters,
			each: (second) => {
				if (second === 5) counters.restart();
				counters.pass(100, 0, second === 5 ? 1 : 0);
			},
		});
		assert.deepEqual([report?.requests, report?.failures], [1000, 0]);
		const failing = new Counters();
		failing.pass(5000, 400);
		const { failure } = await baked({
			counters: failing,
			each: (second) => {
				if (second === 5) failing.restart();
				failing.pass(100, second === 5 ? 50 : 0);
			},
		});
		assert.deepEqual(failure?.reasons, ["50 of 500 requests failed (10 %), at most 1 % may"]);
	});
});
