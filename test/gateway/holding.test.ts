import assert from "node:assert/strict";
import { Admission } from "../../gateway/admission";
import { HttpClient } from "./http-client";
import { RunningGateway } from "./running-gateway";
import { Upstream } from "./upstream";

describe("the gateway's admission", () => {
	it("starts what waited in the order of its arrival, before what comes after the release", () => {
		const admission = new Admission(10, () => {});
		const started: number[] = [];
		const refuse = () => assert.fail("the queue is not full");
		admission.admit(() => started.push(0), refuse);
		const { holdId } = admission.hold(60_000)!;
		const leave = [1, 2, 3, 4].map((n) => admission.admit(() => started.push(n), refuse));
		leave[1]!();
		assert.deepEqual(started, [0]);
		assert.equal(admission.release(holdId), 3);
		admission.admit(() => started.push(5), refuse);
		assert.deepEqual(started, [0, 1, 3, 4, 5]);
	});

	it("refuses at once what does not fit into the queue and counts it", () => {
		const admission = new Admission(2, () => {});
		const outcomes: string[] = [];
		const { holdId } = admission.hold(60_000)!;
		for (const n of [1, 2, 3]) {
			admission.admit(
				() => outcomes.push(`started ${n}`),
				() => outcomes.push(`refused ${n}`),
			);
		}
		assert.deepEqual(outcomes, ["refused 3"]);
		admission.release(holdId);
		assert.deepEqual(outcomes, ["refused 3", "started 1", "started 2"]);
		const { hold, lastHold } = admission.status();
		assert.equal(hold, null);
		assert.deepEqual([lastHold?.outcome, lastHold?.released, lastHold?.refused], ["released", 2, 1]);
	});

	it("allows one hold at a time and releases by its id only", () => {
		const admission = new Admission(2, () => {});
		const { holdId } = admission.hold(60_000)!;
		assert.equal(admission.hold(60_000), undefined);
		assert.equal(admission.release("another"), undefined);
		assert.equal(admission.release(holdId), 0);
		assert.equal(admission.release(holdId), undefined);
	});
});

describe("holding requests in the gateway", () => {
	let blue: Upstream;
	let green: Upstream;
	let gateway: RunningGateway;
	let http: HttpClient;

	before(async () => {
		[blue, green] = await Promise.all([Upstream.start("blue"), Upstream.start("green")]);
		gateway = await RunningGateway.start({
			targets: { blue: { url: blue.url }, green: { url: green.url } },
			active: "blue",
			maxQueued: 20,
		});
		http = new HttpClient(gateway.url, 64);
	});

	beforeEach(async () => {
		await gateway.client.route({ target: "blue" });
		blue.received = 0;
		green.received = 0;
	});

	after(async () => {
		http.close();
		await Promise.all([gateway.stop(), blue.stop(), green.stop()]);
	});

	async function queued(count: number): Promise<void> {
		while ((await gateway.client.status()).hold?.queued !== count) {
			await new Promise(setImmediate);
		}
	}

	it("makes new requests wait and sends them to the target of the moment of release", async () => {
		const { holdId, inFlight } = await gateway.client.hold({ timeoutMs: 30_000, waitForIdleMs: 1000 });
		assert.equal(inFlight, 0);
		const waiting = Array.from({ length: 10 }, (_, n) =>
			http.send(`/${n}`, n % 2 ? { method: "POST", body: "x".repeat(100_000) } : {}),
		);
		await queued(10);
		assert.equal(blue.received, 0);
		await gateway.client.route({ target: "green" });
		assert.equal(green.received, 0);
		assert.deepEqual(await gateway.client.release(holdId), { holdId, released: 10 });
		const replies = await Promise.all(waiting);
		assert.deepEqual(
			replies.map(({ status, body }) => `${status} ${body}`),
			Array(10).fill("200 green"),
		);
		assert.deepEqual([blue.received, green.received], [0, 10]);
	});

	it("tells how many requests are in flight, and waits for them on demand", async () => {
		let finish = () => {};
		const arrived = new Promise<void>((resolve) => {
			blue.handle = (_, response) => {
				finish = () => response.end("done");
				resolve();
			};
		});
		const slow = http.send("/slow");
		await arrived;
		const first = await gateway.client.hold({ timeoutMs: 30_000, waitForIdleMs: 50 });
		assert.equal(first.inFlight, 1);
		await assert.rejects(gateway.client.hold({ timeoutMs: 1000 }), {
			status: 409,
			error: "already_holding",
			message: new RegExp(`hold ${first.holdId} is under way`),
		});
		await gateway.client.release(first.holdId);
		const second = gateway.client.hold({ timeoutMs: 30_000, waitForIdleMs: 20_000 });
		await gateway.client.status();
		finish();
		const { holdId, inFlight } = await second;
		assert.equal(inFlight, 0);
		assert.equal((await slow).body, "done");
		await gateway.client.release(holdId);
		blue.handle = (_, response) => response.end("blue");
	});

	it("answers 503 with Retry-After when too many are waiting", async () => {
		const { holdId } = await gateway.client.hold({ timeoutMs: 30_000 });
		const waiting = Array.from({ length: 20 }, () => http.send("/"));
		await queued(20);
		const refused = await http.send("/", { method: "POST", body: "x" });
		assert.equal(refused.status, 503);
		assert.equal(refused.headers["retry-after"], "1");
		assert.equal(JSON.parse(refused.body).error, "held_queue_full");
		await gateway.client.release(holdId);
		assert.ok((await Promise.all(waiting)).every(({ status }) => status === 200));
		assert.equal((await gateway.client.status()).lastHold?.refused, 1);
	});

	it("ends a hold by itself at its timeout, and says so to whoever releases it late", async () => {
		const { holdId } = await gateway.client.hold({ timeoutMs: 1000 });
		assert.equal((await http.send("/")).body, "blue");
		const { hold, lastHold } = await gateway.client.status();
		assert.equal(hold, null);
		assert.equal(lastHold?.outcome, "expired");
		assert.equal(lastHold?.released, 1);
		await assert.rejects(gateway.client.release(holdId), {
			status: 409,
			error: "not_holding",
			message: /it has expired at/,
		});
	});

	it("forgets a waiting request whose client gives up", async () => {
		const { holdId } = await gateway.client.hold({ timeoutMs: 30_000 });
		const impatient = new AbortController();
		const abandoned = assert.rejects(http.send("/", { signal: impatient.signal }));
		await queued(1);
		impatient.abort();
		await abandoned;
		await queued(0);
		await gateway.client.release(holdId);
		assert.equal(blue.received, 0);
	});

	it("refuses a hold that would end while it waits", async () => {
		await assert.rejects(gateway.client.hold({ timeoutMs: 100, waitForIdleMs: 100 }), {
			status: 400,
			message: /waitForIdleMs must be less than timeoutMs/,
		});
	});
});
