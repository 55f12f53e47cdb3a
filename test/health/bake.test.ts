import assert from "node:assert/strict";
import { baked, Counters } from "./baking";

/** A check that gives these answers by turns, then none. */
function answering(...answers: (string | undefined | Error)[]): () => Promise<string | undefined> {
	return async () => {
		const answer = answers.shift();
		if (answer instanceof Error) throw answer;
		return answer;
	};
}

const always = (fault: string) => async () => fault;

describe("a bake", () => {
	it("is stood by a colour with which nothing is wrong, and says what passed", async () => {
		const counters = new Counters();
		counters.pass(1000, 500);
		const { report, log, looks } = await baked({ counters, each: () => counters.pass(10) });
		assert.deepEqual(report, { seconds: 10, requests: 100, failures: 0, latencyMs: 9.5, passingFaults: [] });
		assert.equal(looks, 11);
		assert.deepEqual(log, [
			"stood its bake of 10 s: 100 requests, 0 failed, 95th percentile of the latency 10 ms",
		]);
	});

	it("tells how far it is every ten seconds", async () => {
		const counters = new Counters();
		const { log } = await baked({ seconds: 25, counters, each: () => counters.pass(2) });
		assert.deepEqual(
			log.map((line) => line.split(",")[0]),
			["10 of 25 s: 20 requests", "20 of 25 s: 40 requests", "stood its bake of 25 s: 50 requests"],
		);
	});

	it("is stood by a colour that nobody uses", async () => {
		const { report, log } = await baked({});
		assert.deepEqual(report, { seconds: 10, requests: 0, failures: 0, passingFaults: [] });
		assert.deepEqual(log, ["stood its bake of 10 s: no request came"]);
	});

	it("of no seconds asks everything once and does not wait", async () => {
		const { report, looks } = await baked({ seconds: 0 });
		assert.deepEqual([report?.seconds, looks], [0, 1]);
		const { failure, looks: again } = await baked({
			seconds: 0,
			checkHealth: always("/readyz answered 503"),
		});
		assert.equal(
			failure?.message,
			"the new colour did not stand its bake (0 of 0 s): health: /readyz answered 503",
		);
		assert.equal(again, 1);
	});

	for (const [name, check] of [
		["health", "checkHealth"],
		["replication", "checkReplication"],
	] as const) {
		it(`ends when the ${name} is at fault three times in a row`, async () => {
			const { failure, looks } = await baked({ [check]: always("it is down") });
			assert.equal(looks, 3);
			assert.equal(
				failure?.message,
				`the new colour did not stand its bake (2 of 10 s): ${name}: it is down (3 times in a row)`,
			);
		});

		it(`passes over single faults of the ${name}, and tells of them`, async () => {
			const { report, log } = await baked({
				[check]: answering("slow", "slow", undefined, new Error("connection reset"), undefined, "slow"),
			});
			assert.deepEqual(report?.passingFaults, [
				`${name}: slow (2 times in a row)`,
				`${name}: connection reset`,
				`${name}: slow`,
			]);
			assert.deepEqual(log.slice(0, 2), [`${name}: slow`, `${name}: well again`]);
		});
	}

	it("ends when a fault has lasted three seconds, however seldom it looks", async () => {
		const { failure, looks } = await baked({ intervalMs: 4000, checkHealth: always("it is down") });
		assert.equal(looks, 2);
		assert.deepEqual(failure?.reasons, ["health: it is down (2 times in a row)"]);
	});

	it("tells every reason at once", async () => {
		const { failure } = await baked({
			checkHealth: always("it is down"),
			checkReplication: always("the subscription is disabled"),
		});
		assert.deepEqual(failure?.reasons, [
			"health: it is down (3 times in a row)",
			"replication: the subscription is disabled (3 times in a row)",
		]);
	});

	it("takes a check that throws or never answers for one that found a fault", async () => {
		const thrown = await baked({
			checkHealth: async () => {
				throw new Error("connect ECONNREFUSED");
			},
		});
		assert.deepEqual(thrown.failure?.reasons, ["health: connect ECONNREFUSED (3 times in a row)"]);
		const silent = await baked({ callTimeoutMs: 5, checkReplication: () => new Promise(() => {}) });
		assert.deepEqual(silent.failure?.reasons, ["replication: no answer within 5 ms (3 times in a row)"]);
	});

	it("ends when the router tells nothing any more", async () => {
		const counters = new Counters();
		counters.read = () => {
			throw new Error("the router does not answer");
		};
		const { failure } = await baked({ counters });
		assert.deepEqual(failure?.reasons, ["traffic counters: the router does not answer (3 times in a row)"]);
	});

	it("does not end on a fault of which it is not known whether it lasts", async () => {
		const late = (...answers: string[]) => answering(...new Array(10).fill(undefined), ...answers);
		const passing = await baked({ checkHealth: late("slow", "slow") });
		assert.deepEqual(passing.report, {
			seconds: 12,
			requests: 0,
			failures: 0,
			passingFaults: ["health: slow (2 times in a row)"],
		});
		const lasting = await baked({ checkHealth: late("slow", "slow", "down") });
		assert.deepEqual(lasting.failure?.reasons, ["health: down (3 times in a row)"]);
	});

	it("comes to its end although checks are at fault by turns", async () => {
		const turns = (first: boolean) =>
			answering(...Array.from({ length: 40 }, (_, n) => ((n % 2 === 0) === first ? "slow" : undefined)));
		const { failure } = await baked({ checkHealth: turns(true), checkReplication: turns(false) });
		assert.equal(failure?.report.seconds, 13);
		assert.equal(failure?.reasons.length, 1);
	});

	it("takes its time from the system's clock where it is given no other", async () => {
		const started = performance.now();
		const { report, looks } = await baked({ seconds: 0.05, intervalMs: 10, clock: undefined });
		assert.ok(looks >= 2 && (report?.seconds ?? 0) >= 0.05 && performance.now() - started >= 50);
	});
});
