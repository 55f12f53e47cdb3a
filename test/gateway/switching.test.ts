import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { HttpClient } from "./http-client";
import { RunningGateway } from "./running-gateway";
import { Upstream } from "./upstream";

describe("switching the gateway's route", () => {
	let blue: Upstream;
	let green: Upstream;
	let gateway: RunningGateway;
	let http: HttpClient;

	before(async () => {
		[blue, green] = await Promise.all([Upstream.start("blue"), Upstream.start("green")]);
		gateway = await RunningGateway.start();
		http = new HttpClient(gateway.url);
		await gateway.client.putTarget("blue", { url: blue.url });
		await gateway.client.putTarget("green", { url: green.url });
	});

	beforeEach(async () => {
		blue.received = 0;
		green.received = 0;
		await gateway.client.route({ target: "blue" });
	});

	after(async () => {
		http.close();
		await Promise.all([gateway.stop(), blue.stop(), green.stop()]);
	});

	it("loses no request under constant load, and none reaches the old target after the answer", async () => {
		const total = 4000;
		const workers = 16;
		const replies = new Map<string, number>();
		let sent = 0;
		async function work(): Promise<void> {
			while (sent < total) {
				sent += 1;
				const post = sent % 4 === 0;
				const reply = await http.send("/", post ? { method: "POST", body: `{"n":${sent}}` } : {});
				const key = `${reply.status} ${reply.body}`;
				replies.set(key, (replies.get(key) ?? 0) + 1);
			}
		}
		const load = Promise.all(Array.from({ length: workers }, work));
		for (const [at, to, from] of [
			[800, "green", blue],
			[1600, "blue", green],
			[2400, "green", blue],
			[3200, "blue", green],
		] as const) {
			while (sent < at) {
				await sleep(1);
			}
			const answer = await gateway.client.route({ target: to, drainTimeoutMs: 5000 });
			assert.deepEqual(answer, { active: to, previous: from.name, remaining: 0 });
			const receivedThen = from.received;
			await sleep(20);
			assert.equal(from.received, receivedThen, `${from.name} was reached after the switch to ${to}`);
		}
		await load;
		assert.deepEqual([...replies.keys()].sort(), ["200 blue", "200 green"]);
		assert.equal(
			(replies.get("200 blue") ?? 0) + (replies.get("200 green") ?? 0),
			blue.received + green.received,
		);
		assert.equal(sent, blue.received + green.received);
		assert.ok(blue.received >= 800 && green.received >= 800);
	});

	it("lets a slow request finish on the old target and tells that it is in flight", async () => {
		let finish = () => {};
		const arrived = new Promise<void>((resolve) => {
			blue.handle = (_, response) => {
				finish = () => response.end("slow blue");
				resolve();
			};
		});
		const slow = http.send("/slow");
		await arrived;
		assert.deepEqual(await gateway.client.route({ target: "green" }), {
			active: "green",
			previous: "blue",
			remaining: 1,
		});
		assert.equal((await http.send("/")).body, "green");
		assert.equal((await gateway.client.status()).targets.blue?.inFlight, 1);
		finish();
		assert.equal((await slow).body, "slow blue");
		blue.handle = (_, response) => response.end("blue");
		const { targets, inFlight } = await gateway.client.status();
		assert.deepEqual([targets.blue?.inFlight, inFlight], [0, 0]);
	});

	it("waits for the old target's requests as long as it is asked to", async () => {
		const arrived = new Promise<void>((resolve) => {
			blue.handle = (_, response) => {
				setTimeout(() => response.end("late"), 100);
				resolve();
			};
		});
		const slow = http.send("/slow");
		await arrived;
		const answer = await gateway.client.route({ target: "green", drainTimeoutMs: 10_000 });
		assert.equal(answer.remaining, 0);
		assert.equal((await slow).body, "late");
		blue.handle = (_, response) => response.end("blue");
	});

	it("refuses a target that is unhealthy, unless told not to mind", async () => {
		green.ready = false;
		await gateway.client.putTarget("green", { url: green.url, healthPath: "/readyz?again" });
		await gateway.client.putTarget("green", { url: green.url });
		await assert.rejects(gateway.client.route({ target: "green" }), {
			status: 409,
			error: "target_unhealthy",
			message: /target green is not healthy: .*answered 503: out of order/,
		});
		assert.equal((await gateway.client.status()).active, "blue");
		await gateway.client.route({ target: "green", requireHealthy: false });
		const reply = await http.send("/");
		assert.equal(reply.status, 503);
		assert.equal(reply.headers["retry-after"], "1");
		assert.deepEqual(JSON.parse(reply.body), {
			error: "target_unhealthy",
			message: "the service green is not healthy at the moment: try again shortly",
			details: [],
		});
		green.ready = true;
		await gateway.client.route({ target: "green" });
		assert.equal((await http.send("/")).body, "green");
	});

	it("answers 503 while it is routed nowhere", async () => {
		await gateway.client.route({ target: null });
		const reply = await http.send("/");
		assert.equal(reply.status, 503);
		assert.equal(JSON.parse(reply.body).error, "no_active_target");
	});

	it("refuses to remove the active target and forgets one that it removed", async () => {
		await assert.rejects(gateway.client.deleteTarget("blue"), { status: 409, error: "target_active" });
		await gateway.client.putTarget("old", { url: green.url });
		await gateway.client.deleteTarget("old");
		await assert.rejects(gateway.client.route({ target: "old" }), {
			status: 404,
			message: /there is no target old \(targets: blue, green\)/,
		});
	});
});
