import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stop } from "../../components/local/process";
import {
	ensureGateway,
	type GatewayOptions,
	isGatewayServing,
	removeGateway,
} from "../../components/traffic/local/gateway-process";
import { routedUrls } from "../../components/traffic/local/router-file";
import { activeTarget, routeNowhere, switchTraffic } from "../../components/traffic/local/switch";
import type { Target } from "../../components/traffic/routing";
import { loadState } from "../../gateway/state";

describe("the traffic", () => {
	let options: GatewayOptions;
	let publicUrl: string;
	const servers: Server[] = [];

	beforeEach(async () => {
		const directory = mkdtempSync(join(tmpdir(), "counting-traffic-"));
		options = { stateFile: join(directory, "gateway", "state.json"), timeoutSeconds: 20 };
		publicUrl = (await ensureGateway(options)).url;
	});

	afterEach(async () => {
		await removeGateway(options);
		for (const server of servers.splice(0)) {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		}
		rmSync(join(options.stateFile, "..", ".."), { recursive: true, force: true });
	});

	/** A service that says it is `release`, ready or not. */
	async function service(release: string, ready = true): Promise<Target> {
		const server = createServer((request, response) => {
			response.statusCode = request.url === "/readyz" && !ready ? 503 : 200;
			response.end(JSON.stringify({ release }));
		});
		servers.push(server);
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return { targetGroup: release, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
	}

	function switchTo(target: Target, release: string, timeoutSeconds = 10): Promise<Target | undefined> {
		return switchTraffic({ stateFile: options.stateFile, publicUrl, target, release, timeoutSeconds });
	}

	async function answering(): Promise<string> {
		const reply = await fetch(`${publicUrl}/version`);
		return reply.ok ? ((await reply.json()) as { release: string }).release : String(reply.status);
	}

	it("goes to a release that answers, and it is known where it went before", async () => {
		const [one, two] = [await service("1.0.0"), await service("2.0.0")];
		assert.equal(await switchTo(one, "1.0.0"), undefined);
		assert.deepEqual(await switchTo(two, "2.0.0"), one);
		assert.equal(await answering(), "2.0.0");
		assert.deepEqual(activeTarget(options.stateFile), two);
		assert.deepEqual(routedUrls(options.stateFile), [two.url]);
	});

	it("stays where it is when the target is not ready", async () => {
		const [one, two] = [await service("1.0.0"), await service("2.0.0", false)];
		await switchTo(one, "1.0.0");
		await assert.rejects(switchTo(two, "2.0.0", 1), /2\.0\.0/);
		assert.equal(await answering(), "1.0.0");
	});

	it("goes back when another release answers than was expected", async () => {
		const [one, other] = [await service("1.0.0"), await service("2.0.0")];
		await switchTo(one, "1.0.0");
		await assert.rejects(switchTo(other, "3.0.0", 1), /release 2\.0\.0 answers, not 3\.0\.0/);
		assert.equal(await answering(), "1.0.0");
	});

	it("forgets targets of earlier updates", async () => {
		const targets = [await service("1.0.0"), await service("2.0.0"), await service("3.0.0")];
		for (const target of targets) {
			await switchTo(target, target.targetGroup);
		}
		assert.deepEqual(Object.keys(loadState(options.stateFile).targets).sort(), ["2.0.0", "3.0.0"]);
	});

	it("comes back the same after the router was killed", async () => {
		await switchTo(await service("1.0.0"), "1.0.0");
		const { port, instance } = loadState(options.stateFile);
		await removeProcess();
		assert.equal(await isGatewayServing(options), false);
		assert.deepEqual(await ensureGateway(options), { url: publicUrl, started: true });
		assert.equal(loadState(options.stateFile).port, port);
		assert.notEqual(loadState(options.stateFile).instance, instance);
		assert.equal(await answering(), "1.0.0");
		assert.equal((await ensureGateway(options)).started, false);
	});

	it("goes nowhere on request, also when the router does not run any more", async () => {
		await switchTo(await service("1.0.0"), "1.0.0");
		await routeNowhere(options.stateFile);
		assert.equal(await answering(), "503");
		await removeProcess();
		await routeNowhere(options.stateFile);
	});

	/** Ends the router's process alone. */
	async function removeProcess(): Promise<void> {
		await stop(
			{ directory: join(options.stateFile, ".."), instance: loadState(options.stateFile).instance },
			0,
		);
	}
});
