import assert from "node:assert/strict";
import type { ColorListener, ColorState } from "../../service/color-watch";
import { HourlyCache, type HourlyTotal } from "../../service/counting-results/hourly-cache";
import { query } from "../support/project";
import { until } from "../support/waiting";
import { FencedColor } from "./fenced-color";
import type { RunningService } from "./running-service";

const FROM = "2026-01-01T00:00:00Z";
const TO = "2026-01-02T00:00:00Z";
const NOON = "2026-01-01T12:00:00Z";

describe("the cache of hourly totals", () => {
	let color: FencedColor;

	before(async () => {
		color = await FencedColor.create();
	});

	afterEach(() => color.reset());

	after(() => color.drop());

	async function ask(service: RunningService, from = FROM): Promise<{ cache: string | null; total: number }> {
		const { status, headers, body } = await service.call(
			"GET",
			`/counting-results/hourly?cameraId=${color.cameraId}&from=${from}&to=${TO}`,
		);
		assert.equal(status, 200);
		const { hours } = body as { hours: { total: number }[] };
		return { cache: headers.get("x-cache"), total: hours.reduce((sum, { total }) => sum + total, 0) };
	}

	async function ingest(service: RunningService, countValue: number): Promise<void> {
		const result = { cameraId: color.cameraId, countType: "person", countValue, createdAt: NOON };
		assert.equal((await service.call("POST", "/counting-results", result)).status, 201);
	}

	/** A service that knows it is live. */
	async function liveService(overrides: Record<string, string> = {}): Promise<RunningService> {
		const service = await color.service(overrides);
		await untilCaching(service);
		return service;
	}

	const untilCaching = (service: RunningService) =>
		until("answers are kept", async () => (await ask(service)).cache === "hit");

	it("answers from memory until this process ingests results of that camera", async () => {
		const service = await liveService();
		assert.deepEqual(await ask(service), { cache: "hit", total: 0 });
		await ingest(service, 5);
		assert.deepEqual(await ask(service), { cache: "miss", total: 5 });
		assert.deepEqual(await ask(service), { cache: "hit", total: 5 });
		const batch = [{ cameraId: color.cameraId, countType: "person", countValue: 2, createdAt: NOON }];
		assert.equal((await service.call("POST", "/counting-results/batch", batch)).status, 201);
		assert.deepEqual(await ask(service), { cache: "miss", total: 7 });
	});

	it("is told what another process of the colour ingests", async () => {
		const [one, other] = [await liveService(), await liveService()];
		assert.deepEqual(await ask(one), { cache: "hit", total: 0 });
		await ingest(other, 3);
		await until("the new result shows", async () => (await ask(one)).total === 3);
	});

	it("keeps an answer no longer than its time", async () => {
		const service = await liveService({ CACHE_TTL_MS: "300" });
		await color.replicate("person", 9, NOON);
		await until("the answer is asked for again", async () => (await ask(service)).total === 9);
	});

	it("keeps as many answers as it may, and none when it may keep none", async () => {
		const service = await liveService({ CACHE_ENTRIES: "1" });
		const later = "2026-01-01T01:00:00Z";
		assert.equal((await ask(service, later)).cache, "miss");
		assert.equal((await ask(service, later)).cache, "hit");
		assert.equal((await ask(service)).cache, "miss");
		const none = await color.service({ CACHE_ENTRIES: "0" });
		await until("it is live", async () => /"is":"open"/.test(none.program.output));
		assert.equal((await ask(none)).cache, "bypass");
		assert.equal((await ask(none)).cache, "bypass");
	});

	it("is bypassed on an idle colour, and serves nothing from before a switch after it", async () => {
		const service = await liveService();
		await ingest(service, 1);
		await untilCaching(service);
		assert.deepEqual(await ask(service), { cache: "hit", total: 1 });

		await color.close();
		await until("it is bypassed", async () => (await ask(service)).cache === "bypass");
		await color.replicate("person", 10, NOON);
		assert.deepEqual(await ask(service), { cache: "bypass", total: 11 });
		await color.replicate("person", 100, NOON);

		await color.open();
		await until("answers are kept again", async () => {
			const { cache, total } = await ask(service);
			assert.equal(total, 111);
			return cache === "hit";
		});
	});

	it("is bypassed while its process cannot hear of a switch, and kept again when it can", async () => {
		const service = await liveService();
		const { user } = color.application;
		await query(color.superuser, `ALTER ROLE "${user}" CONNECTION LIMIT 0`);
		await query(
			color.superuser,
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND query LIKE '%WHERE false'",
			[user],
		);
		await until("it is bypassed", async () => (await ask(service)).cache === "bypass");
		await color.replicate("person", 4, NOON);
		assert.deepEqual(await ask(service), { cache: "bypass", total: 4 });
		await query(color.superuser, `ALTER ROLE "${user}" CONNECTION LIMIT -1`);
		await untilCaching(service);
	});
});

describe("an answer that is being loaded", () => {
	const totals: HourlyTotal[] = [{ hour: NOON, countType: "person", total: 1, results: 1 }];
	const question = { cameraId: 1, from: FROM, to: TO };

	function liveCache() {
		const listeners: ColorListener[] = [];
		const watch = {
			state: "open" as ColorState,
			listen: (listener: ColorListener) => void listeners.push(listener),
		};
		const cache = new HourlyCache({ namespace: "blue-1", entries: 10, ttlMs: 60_000 }, watch);
		return { cache, listener: listeners[0]! };
	}

	const outcome = async (cache: HourlyCache, meanwhile = () => {}) =>
		(
			await cache.read(question, async () => {
				meanwhile();
				return totals;
			})
		).outcome;

	it("is kept when nothing happens meanwhile, or only to another camera", async () => {
		const { cache } = liveCache();
		assert.equal(await outcome(cache, () => cache.invalidate([2])), "miss");
		assert.equal(await outcome(cache), "hit");
	});

	it("is not kept when results of its camera come in meanwhile", async () => {
		const { cache } = liveCache();
		assert.equal(await outcome(cache, () => cache.invalidate([1])), "miss");
		assert.equal(await outcome(cache), "miss");
		assert.equal(await outcome(cache), "hit");
	});

	it("is not kept when the colour's state changes meanwhile", async () => {
		const { cache, listener } = liveCache();
		assert.equal(await outcome(cache, () => listener.onState?.("open")), "miss");
		assert.equal(await outcome(cache), "miss");
	});

	it("is forgotten with its camera when it was loaded twice at the same time", async () => {
		const { cache } = liveCache();
		await Promise.all([outcome(cache), outcome(cache)]);
		assert.equal(await outcome(cache), "hit");
		cache.invalidate([1]);
		assert.equal(await outcome(cache), "miss");
	});
});
