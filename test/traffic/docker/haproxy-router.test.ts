import assert from "node:assert/strict";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { BUCKETS_MS, SLOTS } from "../../../components/traffic/docker/haproxy-config";
import type { Target } from "../../../components/traffic/routing";
import { RouterUnreachable } from "../../../components/traffic/routing";
import { Upstream } from "../../gateway/upstream";
import { until } from "../../support/waiting";
import { NameServer } from "./name-server";
import { haproxyIsInstalled, RunningHaproxy } from "./running-haproxy";

const unlessMissing = haproxyIsInstalled() ? "" : " (skipped: there is no `haproxy` on PATH)";
const HOLD = { timeoutMs: 30_000, waitForIdleMs: 10_000 };

describe(`HAProxy as the router${unlessMissing}`, () => {
	let haproxy: RunningHaproxy;
	let upstreams: Upstream[];
	let names: NameServer;

	before(function () {
		if (!haproxyIsInstalled()) {
			this.skip();
		}
	});

	beforeEach(async () => {
		names = await NameServer.start();
		haproxy = await RunningHaproxy.start(names);
		upstreams = [];
	});

	afterEach(async () => {
		await haproxy.stop();
		names.stop();
		for (const { server } of upstreams) {
			server.closeAllConnections();
			server.close();
		}
	});

	async function service(
		name: string,
		handle?: Upstream["handle"],
	): Promise<{ upstream: Upstream; target: Target }> {
		const upstream = await Upstream.start(name, handle);
		upstreams.push(upstream);
		return { upstream, target: { targetGroup: name, url: upstream.url } };
	}

	async function ask(): Promise<string> {
		const answer = await fetch(haproxy.url);
		return `${answer.status} ${await answer.text()}`;
	}

	it("sends requests nowhere until it is told where", async () => {
		const blue = await service("blue-1@a");
		assert.equal(await haproxy.router.active(), undefined);
		assert.equal(await haproxy.router.answers(), false);
		await haproxy.router.prepare(blue.target, 10_000);
		assert.equal(await ask(), "503 no service is live");
		await haproxy.router.route(blue.target);
		assert.deepEqual(await haproxy.router.active(), blue.target);
		assert.equal(await ask(), "200 blue-1@a");
		assert.equal(await haproxy.router.answers(), true);
		blue.upstream.ready = false;
		await until("it is seen", async () => !(await haproxy.router.answers()));
	});

	it("refuses a target that does not become healthy, with what the check found", async () => {
		const blue = await service("blue-1@a");
		blue.upstream.ready = false;
		await assert.rejects(haproxy.router.prepare(blue.target, 600), {
			message:
				"the router finds blue-1@a unhealthy after 600 ms: L7STS 503; its container's log shows why, and one that has " +
				"ended is made anew by an update with --refresh",
		});
		blue.upstream.ready = true;
		await haproxy.router.prepare(blue.target, 10_000);
	});

	it("moves clients who never stop asking, without one failed request", async () => {
		const slow: Upstream["handle"] = (request, response) => {
			setTimeout(() => response.end(request.url), 5);
		};
		const blue = await service("blue-1@a", slow);
		const green = await service("green-2@b", slow);
		const { router } = haproxy;
		await router.prepare(blue.target, 10_000);
		await router.route(blue.target);
		let running = true;
		const statuses = new Map<number, number>();
		const clients = Array.from({ length: 16 }, async () => {
			while (running) {
				const answer = await fetch(`${haproxy.url}/x`);
				await answer.text();
				statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
			}
		});
		for (const [from, to] of [
			[blue, green],
			[green, blue],
			[blue, green],
		] as const) {
			await router.prepare(to.target, 10_000);
			await until("requests came", () => from.upstream.received > 50);
			const { holdId, inFlight } = await router.hold(HOLD);
			assert.equal(inFlight, 0);
			const before = from.upstream.received;
			await sleep(100);
			assert.equal(from.upstream.received, before);
			to.upstream.received = 0;
			await router.route(to.target);
			await router.release(holdId);
			await until("requests came", () => to.upstream.received > 50);
			assert.equal(from.upstream.received, before);
		}
		running = false;
		await Promise.all(clients);
		assert.deepEqual([...statuses.keys()], [200]);
	});

	it("waits for the requests in flight, and says how many are left when that takes too long", async () => {
		let finish: () => void = () => undefined;
		const blue = await service("blue-1@a", (_, response) => {
			finish = () => response.end("late");
		});
		const { router } = haproxy;
		await router.prepare(blue.target, 10_000);
		await router.route(blue.target);
		const answer = ask();
		await until("the request came", () => blue.upstream.received === 1);
		const { holdId, inFlight } = await router.hold({ timeoutMs: 5000, waitForIdleMs: 50 });
		assert.equal(inFlight, 1);
		finish();
		assert.equal(await answer, "200 late");
		await router.release(holdId);
	});

	it("ends a hold by itself, and one that an update left behind when it is asked to", async () => {
		const blue = await service("blue-1@a");
		const { router } = haproxy;
		await router.prepare(blue.target, 10_000);
		await router.route(blue.target);
		await router.hold({ timeoutMs: 300, waitForIdleMs: 0 });
		assert.equal(await ask(), "200 blue-1@a");
		await router.hold(HOLD);
		let answered = false;
		const answer = ask().finally(() => {
			answered = true;
		});
		await sleep(150);
		assert.equal(answered, false);
		await router.release("of another update");
		await sleep(50);
		assert.equal(answered, false);
		await router.releaseForsaken();
		assert.equal(await answer, "200 blue-1@a");
	});

	it("counts requests, failures and latency for each target on its own", async () => {
		const blue = await service("blue-1@a", ({ url }, response) => {
			if (url === "/gone") {
				response.destroy();
			} else {
				setTimeout(() => response.writeHead(url === "/bad" ? 500 : 200).end(), url === "/slow" ? 300 : 0);
			}
		});
		const green = await service("green-2@b");
		const { router } = haproxy;
		await router.prepare(blue.target, 10_000);
		await router.prepare(green.target, 10_000);
		await router.route(blue.target);
		for (const path of ["/", "/bad", "/slow", "/gone"]) {
			await (await fetch(`${haproxy.url}${path}`, { headers: { connection: "close" } })).text();
		}
		const counted = await router.traffic("blue-1@a");
		assert.deepEqual([counted.requests, counted.failures], [4, 2]);
		assert.deepEqual(
			counted.latencyBuckets.map(({ leMs }) => leMs),
			[...BUCKETS_MS, null],
		);
		assert.equal(
			counted.latencyBuckets.reduce((sum, { count }) => sum + count, 0),
			3,
		);
		const slow = counted.latencyBuckets.filter(({ leMs }) => leMs === null || leMs >= 500);
		assert.equal(
			slow.reduce((sum, { count }) => sum + count, 0),
			1,
		);
		assert.equal((await router.traffic("green-2@b")).requests, 0);
		await assert.rejects(router.traffic("green-3@c"), { message: "the router has no target green-3@c" });
	});

	it("knows the services of a generation, the newest last, and takes the place of those that are gone", async () => {
		const { router } = haproxy;
		const names = ["blue-1@a", "green-2@a", "blue-11@a", "green-2@b", "green-4@a", "green-4@b"];
		for (const name of names) {
			await router.prepare((await service(name)).target, 10_000);
		}
		const known = async (color: string) =>
			(await router.targetsOf(color)).map(({ targetGroup }) => targetGroup);
		assert.deepEqual(await known("green-2"), ["green-2@a", "green-2@b"]);
		assert.deepEqual(await known("blue-1"), ["blue-1@a"]);
		const next = await service("blue-5@a");
		await assert.rejects(router.prepare(next.target, 1000), /knows 6 healthy services already/);
		const [gone] = upstreams;
		gone?.server.closeAllConnections();
		gone?.server.close();
		await until("its end was seen", async () =>
			router.prepare(next.target, 10_000).then(
				() => true,
				() => undefined,
			),
		);
		assert.deepEqual(await known("blue-1"), []);
		assert.deepEqual(await known("blue-5"), ["blue-5@a"]);
	});

	it("gives the place of a service whose name is gone to the next, whatever its port", async () => {
		const { router } = haproxy;
		const run = async (name: string) => {
			names.names.set(name, "127.0.0.1");
			const { upstream } = await service(name);
			return { targetGroup: `${name}@a`, url: `http://${name}:${upstream.port}` };
		};
		const [first, ...others] = await Promise.all(SLOTS.map((_, index) => run(`color-${index}`)));
		for (const target of [first!, ...others]) {
			await router.prepare(target, 10_000);
		}
		await router.route(others[0]!);
		names.names.delete("color-0");
		await until("its name is gone", async () =>
			/slot_1 1 target -/.test(await haproxy.tell("show servers state slot_1")),
		);
		const next = await run("color-7");
		await router.prepare(next, 10_000);
		await router.route(next);
		assert.equal(await ask(), "200 color-7");
		await until("it is kept", () => /^active slot_1$/m.test(readFileSync(haproxy.stateFile, "utf8")));
		await haproxy.restart();
		await until("it serves", async () => (await ask()) === "200 color-7");
	});

	it("goes on where it sent requests when it is started again, and nobody waits for an update that is gone", async () => {
		const { router } = haproxy;
		const [blue, green] = [await service("blue-1@a"), await service("green-2@b")];
		for (const { target } of [blue, green]) {
			await router.prepare(target, 10_000);
			await router.route(target);
		}
		await router.hold(HOLD);
		await until("it is kept", () => /^active slot_2$/m.test(readFileSync(haproxy.stateFile, "utf8")));
		await haproxy.restart();
		await until("it serves", async () => (await ask()) === "200 green-2@b");
		assert.deepEqual(await router.active(), green.target);
		assert.deepEqual(await router.targetsOf("blue-1"), [blue.target]);
		await router.prepare(blue.target, 10_000);
		await router.route(blue.target);
		assert.equal(await ask(), "200 blue-1@a");
	});

	for (const [what, text] of [
		["nothing", ""],
		["half of it", "hold none\nslot_1 1|0|blue-1@a|http"],
		["what nobody wrote", "active slot_9\nslot_1 \u0000 set server\nhold a|999999\n"],
	]) {
		it(`starts with ${what} in the file that it keeps, and sends requests nowhere`, async () => {
			await haproxy.restart(text);
			assert.equal(await haproxy.router.active(), undefined);
			assert.equal(await ask(), "503 no service is live");
		});
	}

	it("is given again what it knows and could not place", async () => {
		const { router } = haproxy;
		const blue = await service("blue-1@a");
		await router.prepare(blue.target, 10_000);
		await router.route(blue.target);
		await haproxy.tell("set server slot_1/target state maint");
		assert.equal(await router.answers(), false);
		await router.prepare(blue.target, 10_000);
		assert.equal(await ask(), "200 blue-1@a");
	});

	it("keeps what it had while the disk is full, starts with that, and writes again once there is room", async () => {
		const { router } = haproxy;
		const [blue, green] = [await service("blue-1@a"), await service("green-2@b")];
		await router.prepare(blue.target, 10_000);
		await router.route(blue.target);
		const kept = () => readFileSync(haproxy.stateFile, "utf8");
		await until("it is kept", () => /^active slot_1$/m.test(kept()));
		symlinkSync("/dev/full", `${haproxy.stateFile}.new`);
		await router.prepare(green.target, 10_000);
		await router.route(green.target);
		await until("it says so", () => /where requests go is not kept: .*No space left/.test(haproxy.said));
		assert.match(kept(), /^active slot_1$/m);
		await haproxy.restart();
		await until("it serves", async () => (await ask()) === "200 blue-1@a");
		rmSync(`${haproxy.stateFile}.new`);
		await router.prepare(green.target, 10_000);
		await router.route(green.target);
		await until("it is kept", () => /^active slot_2$/m.test(kept()));
	});

	it("does not start where it cannot keep where requests go", async () => {
		await assert.rejects(haproxy.restart(null), /where requests go cannot be kept: .*state\.map\.new/);
	});

	it("says that it is unreachable when it has ended", async () => {
		const { router } = haproxy;
		await haproxy.stop();
		await assert.rejects(router.active(), RouterUnreachable);
	});
});
