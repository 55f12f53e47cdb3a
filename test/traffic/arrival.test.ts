import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { waitForArrival } from "../../components/traffic/arrival";

describe("the wait for a router that was told where to send requests", () => {
	let server: Server | undefined;
	let answers: number;
	let told: string[];

	beforeEach(() => {
		answers = 0;
		told = [];
	});

	afterEach(async () => {
		server?.closeAllConnections();
		await new Promise((resolve) => server?.close(resolve));
	});

	/** Waits for release 1.3.0 in the place of 1.2.0, at an address that answers with those releases one after the other. */
	async function wait(releases: string[], timeoutMs = 10_000): Promise<void> {
		server = createServer((_request, response) => {
			const release = releases[Math.min(answers++, releases.length - 1)]!;
			response.writeHead(release === "" ? 502 : 200).end(release && JSON.stringify({ release }));
		});
		await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
		await waitForArrival({
			publicUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
			...{ previous: "1.2.0", timeoutMs, log: (line: string) => told.push(line) },
		});
	}

	it("ends when the release before has not answered three times in a row", async () => {
		await wait(["1.2.0", "1.2.0", "1.3.0", "1.3.0", "1.2.0", "1.3.0"]);
		assert.equal(answers, 8);
		assert.equal(told.length, 1);
		assert.match(told[0] ?? "", /^the router has followed the switch after \d+\.\d s$/);
	});

	it("leaves what does not answer at all to the bake", async () => {
		await wait([""]);
		assert.equal(answers, 1);
		assert.deepEqual(told, []);
	});

	it("gives up a router that does not follow, and says so", async () => {
		await wait(["1.2.0"], 150);
		assert.match(told.join(), /^release 1\.2\.0 still answers at http:\/\/127\.0\.0\.1:\d+ after \d\.\d s$/);
	});
});
