import assert from "node:assert/strict";
import { once } from "node:events";
import { statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { GatewayClient } from "../../gateway/client";
import { Program } from "../service/program";
import { until } from "../support/waiting";
import { HttpClient } from "./http-client";
import { RunningGateway } from "./running-gateway";
import { Upstream } from "./upstream";

describe("the gateway process", () => {
	let blue: Upstream;
	let gateway: RunningGateway;

	before(async () => {
		blue = await Upstream.start("blue");
	});

	beforeEach(async () => {
		gateway = await RunningGateway.start();
	});

	afterEach(async () => {
		await gateway.stop();
	});

	after(async () => {
		await blue.stop();
	});

	it("comes back with the same ports, targets and route after a kill", async () => {
		await gateway.client.putTarget("blue", { url: blue.url, healthPath: "/readyz" });
		await gateway.client.route({ target: "blue" });
		await gateway.client.hold({ timeoutMs: 60_000 });
		const before = gateway.state;
		await gateway.program.stop("SIGKILL");
		await gateway.launch();
		assert.deepEqual(gateway.state, before);
		assert.equal(statSync(gateway.statePath).mode & 0o777, 0o600);
		const status = await gateway.client.status();
		assert.equal(status.active, "blue");
		assert.equal(status.hold, null);
		const http = new HttpClient(gateway.url);
		assert.equal((await http.send("/")).body, "blue");
		http.close();
	});

	it("answers 401 to a wrong token and changes nothing, yet tells its instance to anybody", async () => {
		const { adminPort, instance, token } = gateway.state;
		const stranger = new GatewayClient({ adminPort, token: "not the right one" });
		const refusal = { status: 401, error: "unauthorized" };
		await assert.rejects(stranger.status(), refusal);
		await assert.rejects(stranger.putTarget("blue", { url: blue.url }), refusal);
		const bare = await fetch(`http://127.0.0.1:${adminPort}/status`);
		assert.equal(bare.status, 401);
		await bare.text();
		assert.equal(await stranger.instance(), instance);
		assert.deepEqual((await gateway.client.status()).targets, {});
		assert.ok(!gateway.program.output.includes(token));
	});

	it("refuses settings that are wrong, all of them at once", async () => {
		await assert.rejects(gateway.client.putTarget("blue", { url: "ftp://x", healthPath: "readyz" }), {
			status: 400,
			message: /url must be an http URL.*healthPath must begin with/,
		});
		await assert.rejects(gateway.client.putTarget("no spaces", { url: blue.url }), { status: 400 });
	});

	it("names the port that is taken and ends with 1", async () => {
		const second = await RunningGateway.start();
		await second.program.stop();
		const own = second.state;
		for (const key of ["port", "adminPort"] as const) {
			const taken = gateway.state[key];
			const state = { ...own, [key]: taken };
			writeFileSync(second.statePath, JSON.stringify(state));
			const program = Program.start("gateway/main.ts", [second.statePath], {});
			assert.equal(await program.exitCode(), 1);
			assert.match(
				program.output,
				new RegExp(`^port ${taken} for the gateway.* is taken by another program`),
			);
			assert.equal(program.output.trim().split("\n").length, 1);
		}
		await second.stop();
	});

	it("names everything that is wrong in a state file, but not the token", async () => {
		const broken = { ...gateway.state, port: 99_999, active: "nobody", extra: 1, token: "tiny-secret" };
		const path = `${gateway.statePath}.broken`;
		writeFileSync(path, JSON.stringify(broken));
		const program = Program.start("gateway/main.ts", [path], {});
		assert.equal(await program.exitCode(), 1);
		for (const part of [/at port/, /at token/, /"extra"/]) {
			assert.match(program.output, part);
		}
		assert.ok(!program.output.includes("tiny-secret"));
	});

	it("finishes what is in flight before it ends, and closes the connections", async () => {
		await gateway.client.putTarget("blue", { url: blue.url });
		await gateway.client.route({ target: "blue" });
		const http = new HttpClient(gateway.url);
		let finish = () => {};
		const arrived = new Promise<void>((resolve) => {
			blue.handle = (_, response) => {
				finish = () => response.end("finished");
				resolve();
			};
		});
		const slow = http.send("/slow");
		await arrived;
		const ended = gateway.program.stop();
		await gateway.program.waitFor(/"msg":"stopping"/);
		finish();
		const reply = await slow;
		assert.equal(reply.body, "finished");
		assert.equal(reply.headers.connection, "close");
		assert.equal(await ended, 0);
		http.close();
		blue.handle = (_, response) => response.end("blue");
	});

	it("notices a target that went away and one that came back", async () => {
		const green = await Upstream.start("green");
		const { port } = green;
		await gateway.client.putTarget("green", { url: green.url });
		await gateway.client.route({ target: "green" });
		const http = new HttpClient(gateway.url);
		await green.stop();
		const refused = await http.send("/");
		assert.ok(refused.status === 502 || refused.status === 503);
		const { health, lastError } = (await gateway.client.status()).targets.green!;
		assert.equal(health, "unhealthy");
		assert.match(lastError!, /ECONNREFUSED/);
		const again = await Upstream.start("green again", undefined, port);
		await gateway.program.waitFor(/"health":"unhealthy"[\s\S]*"health":"healthy"/);
		assert.equal((await http.send("/")).body, "green again");
		http.close();
		await again.stop();
	});

	it("doubts the target that has the traffic for longer than others before it refuses all requests", async () => {
		const [active, other] = [await Upstream.start("active"), await Upstream.start("other")];
		const patient = await RunningGateway.start({
			healthCheck: { intervalMs: 50, timeoutMs: 2000, failures: 2, activeFailures: 20 },
		});
		const health = async () => {
			const { targets } = await patient.client.status();
			return { active: targets.active?.health, other: targets.other?.health };
		};
		await patient.client.putTarget("active", { url: active.url });
		await patient.client.putTarget("other", { url: other.url });
		await patient.client.route({ target: "active" });
		active.ready = false;
		other.ready = false;
		const first = await until("one of them is unhealthy", async () => {
			const found = await health();
			return Object.values(found).includes("unhealthy") ? found : undefined;
		});
		assert.deepEqual(first, { active: "healthy", other: "unhealthy" });
		const http = new HttpClient(patient.url);
		assert.equal((await http.send("/")).body, "active");
		await until("both are unhealthy", async () => (await health()).active === "unhealthy" || undefined);
		assert.equal((await http.send("/")).status, 503);
		http.close();
		await Promise.all([patient.stop(), active.stop(), other.stop()]);
	});

	it("says what was asked when nobody answers", async () => {
		const silent = createServer();
		silent.listen(0, "127.0.0.1");
		await once(silent, "listening");
		const { port } = silent.address() as { port: number };
		silent.close();
		await once(silent, "close");
		const client = new GatewayClient({ adminPort: port, token: "any" });
		await assert.rejects(client.status(), {
			name: "GatewayError",
			message: new RegExp(`^gateway 127\\.0\\.0\\.1:${port}: GET /status: .*ECONNREFUSED`),
		});
	});
});
