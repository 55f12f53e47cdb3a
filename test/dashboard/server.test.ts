import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { startDashboard } from "../../dashboard/server";
import { HttpClient, type Reply } from "../gateway/http-client";
import { until } from "../support/waiting";
import { DashboardBench } from "./bench";
import { EventReader } from "./event-reader";

const TOKEN = "correct-horse-battery-staple";
const PAGE = join(__dirname, "..", "..", "dashboard", "page");

describe("the dashboard's server", () => {
	let bench: DashboardBench;
	let http: HttpClient;
	const events: EventReader[] = [];

	beforeEach(async () => {
		bench = await DashboardBench.open();
	});

	afterEach(async () => {
		for (const each of events.splice(0)) {
			each.close();
		}
		http?.close();
		await bench.close();
	});

	async function serve(options: Parameters<DashboardBench["start"]>[0] = {}) {
		const dashboard = await bench.start(options);
		http = new HttpClient(dashboard.url);
		return dashboard;
	}

	async function listen(url: string, headers?: Record<string, string>): Promise<EventReader> {
		const opened = await EventReader.open(url, headers);
		events.push(opened);
		return opened;
	}

	describe("'s answers", () => {
		it("let nothing into the page but what the server itself serves", async () => {
			await serve();
			for (const path of ["/", "/app.js", "/style.css", "/access", "/none"]) {
				const { headers } = await http.send(path);
				assert.equal(
					headers["content-security-policy"],
					"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
						"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
					path,
				);
				assert.equal(headers["x-content-type-options"], "nosniff");
				assert.equal(headers["referrer-policy"], "no-referrer");
				assert.equal(headers["cache-control"], "no-store");
				assert.equal(headers["access-control-allow-origin"], undefined);
			}
		});

		it("are the files of the page with their types, and nothing else of the disk", async () => {
			await serve();
			const scripts = readdirSync(PAGE).filter((name) => name.endsWith(".js"));
			for (const name of scripts) {
				const { status, headers } = await http.send(`/${name}`);
				assert.deepEqual([status, headers["content-type"]], [200, "text/javascript; charset=utf-8"], name);
			}
			assert.match((await http.send("/")).body, /^<!doctype html>/);
			for (const path of [
				"/tsconfig.json",
				"/index.html",
				"/login.html",
				"/../server.ts",
				"/%2e%2e/server.ts",
			]) {
				assert.equal((await http.send(path)).status, 404, path);
			}
		});

		it("are given under this machine's own names only, so that no other name can be pointed at it", async () => {
			const { port } = await serve();
			const ask = async (host: string) => (await http.send("/", { headers: { host } })).status;
			for (const host of [`127.0.0.1:${port}`, "localhost:9000", "LOCALHOST", "[::1]:80"]) {
				assert.equal(await ask(host), 200, host);
			}
			for (const host of [
				"evil.example",
				`evil.example:${port}`,
				"localhost.evil.example",
				"127.0.0.1.evil.example",
			]) {
				assert.equal(await ask(host), 421, host);
			}
		});

		it("are not given to what another site's page asks for, though its link is followed", async () => {
			await serve();
			const ask = async (path: string, site: string, mode: string) =>
				(await http.send(path, { headers: { "sec-fetch-site": site, "sec-fetch-mode": mode } })).status;
			assert.equal(await ask("/events", "cross-site", "cors"), 403);
			assert.equal(await ask("/app.js", "same-site", "no-cors"), 403);
			assert.equal(await ask("/", "cross-site", "navigate"), 200);
			assert.equal(await ask("/access", "same-origin", "cors"), 200);
		});
	});

	describe("that others can reach", () => {
		it("does not start without a token", async () => {
			const { reader: catalog } = bench;
			await assert.rejects(
				startDashboard({ host: "0.0.0.0", port: 0, catalog, stack: "staging", environment: "staging" }),
				/others can reach 0\.0\.0\.0: give the dashboard a token/,
			);
		});

		it("shows who has not given the token nothing but where to give it", async () => {
			const { url } = await serve({ host: "0.0.0.0", token: TOKEN });
			assert.match(url, /^http:\/\/0\.0\.0\.0:\d+$/);
			const front = await http.send("/");
			assert.deepEqual([front.status, front.headers.location], [303, "/login"]);
			for (const path of [
				"/events",
				"/app.js",
				"/access",
				"/none",
				"/index.html",
				`/events?token=${TOKEN}`,
			]) {
				const { status, headers } = await http.send(path);
				assert.deepEqual([status, headers["www-authenticate"]], [401, "Bearer"], path);
			}
			assert.equal((await http.send("/login")).status, 200);
			assert.equal((await http.send("/style.css")).status, 200);
		});

		it("lets in who sends the token with each request", async () => {
			await serve({ token: TOKEN });
			const ask = async (authorization: string) =>
				(await http.send("/access", { headers: { authorization } })).status;
			assert.equal(await ask(`Bearer ${TOKEN}`), 200);
			for (const wrong of [
				"Bearer",
				`Bearer ${TOKEN}x`,
				`Bearer ${TOKEN.slice(1)}`,
				`Basic ${TOKEN}`,
				TOKEN,
			]) {
				assert.equal(await ask(wrong), 401, wrong);
			}
		});

		const signIn = (token: string, headers: Record<string, string> = {}): Promise<Reply> =>
			http.send("/login", {
				method: "POST",
				headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
				body: new URLSearchParams({ token }).toString(),
			});

		it("gives a session for the token, in a cookie that no script can read and no other site can send", async () => {
			const { url } = await serve({ token: TOKEN });
			const wrong = await signIn("battery-horse-correct-staple");
			assert.deepEqual([wrong.status, wrong.headers["set-cookie"]], [401, undefined]);
			assert.match(wrong.body, /role="alert" class="notice">That is not the token/);

			const right = await signIn(TOKEN);
			assert.deepEqual([right.status, right.headers.location], [303, "/"]);
			const [cookie = ""] = right.headers["set-cookie"] ?? [];
			assert.match(
				cookie,
				/^dashboard_session=\d+\.[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
			);
			assert(!cookie.includes(TOKEN));
			const [secure = ""] =
				(await signIn(TOKEN, { "x-forwarded-proto": "https" })).headers["set-cookie"] ?? [];
			assert.match(secure, /; Secure/);

			const session = { cookie: cookie.split(";", 1)[0]! };
			assert.equal((await http.send("/", { headers: session })).status, 200);
			assert.equal((await (await listen(url, session)).change()).changed.environment?.stack, "staging");
			const [ends] = session.cookie.split(".", 1);
			const later = session.cookie.replace(/=\d+/, "=9999999999999");
			for (const forged of [later, `${ends}.`, `${ends}`, "dashboard_session=", `${session.cookie}x`]) {
				assert.equal((await http.send("/app.js", { headers: { cookie: forged } })).status, 401, forged);
			}
			const out = await http.send("/logout", { method: "POST", headers: session });
			assert.match(out.headers["set-cookie"]?.[0] ?? "", /^dashboard_session=; Max-Age=0; Path=\//);
		});

		it("lets nobody go on looking once the session has ended", async () => {
			const { url } = await serve({ token: TOKEN, sessionMs: 2000 });
			const [cookie = ""] = (await signIn(TOKEN)).headers["set-cookie"] ?? [];
			const session = { cookie: cookie.split(";", 1)[0]! };
			const page = await listen(url, session);
			await page.change();
			await assert.rejects(page.change(), /the events have ended|terminated/);
			assert.equal((await http.send("/access", { headers: session })).status, 401);
		});
	});

	describe("'s events", () => {
		it("are everything first, and then what has changed", async () => {
			const { url } = await serve();
			const page = await listen(url);
			const { now, changed } = await page.change();
			assert(Math.abs(Date.parse(now) - Date.now()) < 60_000);
			assert.deepEqual(Object.keys(changed).sort(), [
				"catalog",
				"checks",
				"deployments",
				"environment",
				"lag",
				"migrations",
				"pipeline",
				"rollbacks",
				"traffic",
			]);
			assert.equal(changed.pipeline, null);

			const id = await openDeployment(bench.client, {
				pipelineName: "counting",
				release: "1.2.0",
				environment: "staging",
				triggeredBy: "tester",
				config: {},
			});
			const begun = await page.change();
			assert.deepEqual(Object.keys(begun.changed).sort(), ["deployments", "pipeline"]);
			assert.deepEqual(
				[begun.changed.pipeline?.id, begun.changed.pipeline?.release, begun.changed.pipeline?.status],
				[id, "1.2.0", "running"],
			);
			const other = await listen(url);
			assert.equal((await other.change()).changed.pipeline?.id, id);

			await closeDeployment(bench.client, id, { status: "failed", error: "<b>because</b>" });
			for (const each of [page, other]) {
				assert.equal((await each.change()).changed.pipeline?.error, "<b>because</b>");
			}
		});

		it("are a sign of life while nothing changes", async () => {
			const { url } = await serve({ heartbeatMs: 30 });
			const page = await listen(url);
			await page.change();
			assert.deepEqual(await page.next(), { type: "heartbeat", data: "{}" });
			assert.deepEqual(await page.next(), { type: "heartbeat", data: "{}" });
		});

		it("are for so many pages at once; one that is closed makes room", async () => {
			const { url } = await serve({ maxListeners: 2 });
			const first = await listen(url);
			await (await listen(url)).change();
			const { status, headers } = await http.send("/events");
			assert.deepEqual([status, headers["retry-after"]], [503, "10"]);
			first.close();
			const third = await until("there is room again", () => listen(url).catch(() => undefined));
			assert.equal((await third.change()).changed.environment?.stack, "staging");
		});

		it("cost one connection for all pages, and none once nobody looks", async () => {
			const { url } = await serve();
			assert.equal(await bench.connections(), 0);
			const pages = [await listen(url), await listen(url), await listen(url)];
			for (const page of pages) {
				await page.change();
			}
			assert.equal(await bench.connections(), 1);
			for (const page of pages) {
				page.close();
			}
			await until("the connection is closed", async () => (await bench.connections()) === 0 || undefined);
			assert.equal((await (await listen(url)).change()).changed.environment?.stack, "staging");
		});

		it("tell when the catalog does not answer, with what is wrong and never the password, and when it does again", async () => {
			const { url } = await serve();
			const page = await listen(url);
			await page.change();
			await bench.letIn(false);
			const told = await until("the catalog is told to be lost", async () => {
				const { catalog } = (await page.change()).changed;
				return catalog?.reachable === false && /cannot connect to/.test(catalog.reason) ? catalog : undefined;
			});
			assert(!JSON.stringify(told).includes(bench.reader.password));
			assert(Math.abs(Date.parse(told.since) - Date.now()) < 60_000);
			await bench.letIn(true);
			await until("the catalog is told to be back", async () => {
				const { catalog } = (await page.change()).changed;
				return catalog?.reachable === true || undefined;
			});
		});
	});
});
