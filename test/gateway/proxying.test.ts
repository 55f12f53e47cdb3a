import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { HttpClient } from "./http-client";
import { RunningGateway } from "./running-gateway";
import { Upstream } from "./upstream";

const UPGRADE =
	"GET /live HTTP/1.1\r\nhost: example.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";

describe("passing requests through the gateway", () => {
	let blue: Upstream;
	let gateway: RunningGateway;
	let http: HttpClient;

	before(async () => {
		blue = await Upstream.start("blue");
		blue.echoWebSockets();
		gateway = await RunningGateway.start({
			targets: { blue: { url: blue.url } },
			active: "blue",
			upstreamTimeoutMs: 1500,
		});
		http = new HttpClient(gateway.url);
	});

	after(async () => {
		http.close();
		await gateway.stop();
		await blue.stop();
	});

	async function blueCounters() {
		return (await gateway.client.status()).targets.blue!.counters;
	}

	it("streams a large body both ways unchanged", async () => {
		blue.handle = (request, response) => request.pipe(response);
		const body = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
		const withLength = await http.send("/", { method: "POST", body });
		assert.equal(withLength.body, body.toString());
		const chunked = await http.send("/", {
			method: "POST",
			body,
			headers: { "transfer-encoding": "chunked" },
		});
		assert.equal(chunked.body, body.toString());
	});

	it("keeps hop-by-hop headers to each connection and tells the target who asks", async () => {
		blue.handle = ({ headers, rawHeaders }, response) => {
			response.writeHead(200, {
				"x-kept": "yes",
				"x-secret-hop": "no",
				connection: "close, x-secret-hop",
				"set-cookie": ["a=1", "b=2"],
			});
			response.end(JSON.stringify({ headers, rawHeaders }));
		};
		const reply = await http.send("/", {
			headers: {
				connection: "keep-alive, x-hop",
				"x-hop": "1",
				te: "trailers",
				"proxy-authorization": "secret",
				"x-forwarded-for": "192.0.2.1",
				"x-forwarded-proto": "https",
				"x-end-to-end": "1",
				host: "example.test",
			},
		});
		const { headers } = JSON.parse(reply.body) as { headers: Record<string, string> };
		assert.deepEqual(
			{ ...headers },
			{
				host: "example.test",
				connection: "keep-alive",
				"x-end-to-end": "1",
				"x-forwarded-for": "192.0.2.1, 127.0.0.1",
				"x-forwarded-host": "example.test",
				"x-forwarded-port": String(gateway.state.port),
				"x-forwarded-proto": "http",
			},
		);
		assert.equal(reply.headers["x-kept"], "yes");
		assert.equal(reply.headers["x-secret-hop"], undefined);
		assert.equal(reply.headers.connection, "keep-alive");
		assert.deepEqual(reply.headers["set-cookie"], ["a=1", "b=2"]);
	});

	it("ends the target's request when its client gives up", async () => {
		const impatient = new AbortController();
		const ended = new Promise<void>((resolve) => {
			blue.handle = (request, response) => {
				response.once("close", resolve);
				request.once("error", () => {});
				impatient.abort();
			};
		});
		const { aborted } = await blueCounters();
		await assert.rejects(http.send("/", { signal: impatient.signal }));
		await ended;
		assert.equal((await blueCounters()).aborted, aborted + 1);
		assert.equal((await gateway.client.status()).inFlight, 0);
	});

	it("answers 504 when the target stays silent", async () => {
		blue.handle = () => {};
		const reply = await http.send("/");
		assert.equal(reply.status, 504);
		assert.equal(JSON.parse(reply.body).error, "upstream_timeout");
	});

	it("repeats an idempotent request whose kept connection was closed, never a POST", async () => {
		let calls = 0;
		blue.handle = (request, response) => {
			calls += 1;
			if (calls === 1) {
				request.socket.destroy();
			} else {
				response.end("second");
			}
		};
		const { failures } = await blueCounters();
		assert.equal((await http.send("/")).body, "second");
		calls = 0;
		const post = await http.send("/", { method: "POST", body: "x" });
		assert.equal(post.status, 502);
		assert.equal(JSON.parse(post.body).error, "upstream_failed");
		assert.equal(calls, 1);
		assert.equal((await blueCounters()).failures, failures + 1);
	});

	it("breaks the answer off when the target does, so that the client knows", async () => {
		blue.handle = (_, response) => {
			response.writeHead(200, { "content-length": 1000 });
			response.write("part");
			setImmediate(() => response.destroy());
		};
		const { failures } = await blueCounters();
		await assert.rejects(http.send("/"), { code: "ECONNRESET" });
		assert.equal((await blueCounters()).failures, failures + 1);
	});

	it("counts requests, failures and their latencies", async () => {
		const before = await blueCounters();
		blue.handle = (request, response) => {
			response.statusCode = request.url === "/bad" ? 500 : 200;
			response.end();
		};
		for (const path of ["/good", "/good", "/bad"]) {
			await http.send(path);
		}
		const after = await blueCounters();
		assert.equal(after.requests, before.requests + 3);
		assert.equal(after.failures, before.failures + 1);
		assert.ok(after.latency.sumMs > before.latency.sumMs);
		assert.equal(
			after.latency.buckets.reduce((sum, { count }) => sum + count, 0),
			after.requests,
		);
	});

	async function openSocket(text: string): Promise<{ socket: Socket; text: string }> {
		const socket = connect(gateway.state.port, "127.0.0.1");
		await once(socket, "connect");
		socket.write(text);
		const [first] = (await once(socket, "data")) as [Buffer];
		return { socket, text: first.toString() };
	}

	it("passes websockets in both directions and leaves them where they are on a switch", async () => {
		const green = await Upstream.start("green");
		const { socket, text } = await openSocket(UPGRADE);
		assert.match(text, /^HTTP\/1.1 101 /);
		assert.match(text, /x-seen: ws/);
		await gateway.client.putTarget("green", { url: green.url });
		await gateway.client.route({ target: "green" });
		socket.write("still here");
		const [echoed] = (await once(socket, "data")) as [Buffer];
		assert.equal(echoed.toString(), "still here");
		assert.equal((await gateway.client.status()).targets.blue?.webSockets, 1);
		await gateway.client.route({ target: "blue" });
		socket.end();
		await once(socket, "close");
		await gateway.client.deleteTarget("green");
		await green.stop();
	});

	it("answers an upgrade to anything else with a sentence", async () => {
		const { socket, text } = await openSocket(UPGRADE.replace("websocket", "h2c"));
		assert.match(text, /^HTTP\/1.1 501 [\s\S]*only websockets can be upgraded to/);
		socket.destroy();
	});

	it("answers a websocket that the target does not take with 502", async () => {
		const mute = createServer((socket) => socket.once("data", () => socket.destroy()));
		mute.listen(0, "127.0.0.1");
		await once(mute, "listening");
		const { port } = mute.address() as { port: number };
		await gateway.client.putTarget("mute", { url: `http://127.0.0.1:${port}` });
		await gateway.client.route({ target: "mute", requireHealthy: false });
		const { socket, text } = await openSocket(UPGRADE);
		assert.match(text, /^HTTP\/1.1 50[23] /);
		socket.destroy();
		await gateway.client.route({ target: "blue" });
		await gateway.client.deleteTarget("mute");
		mute.close();
		await once(mute, "close");
	});
});
