import assert from "node:assert/strict";
import { withClient } from "../../components/database/connection";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { createSchema, RunningService } from "./running-service";

interface Page {
	results: { id: number; countType: string; createdAt: string }[];
	nextCursor: string | null;
}

const hour = (n: number) => new Date(Date.UTC(2026, 0, 1, n)).toISOString();

describe("the counting API", () => {
	let database: TestDatabase;
	let service: RunningService;
	let cameraId: number;

	before(async () => {
		database = await testDatabase();
		await createSchema(database.owner, "1.3.0");
		service = await RunningService.start(database.owner);
	});

	beforeEach(async () => {
		const { body } = await service.call("POST", "/cameras", { cameraName: "Gate" });
		cameraId = (body as { id: number }).id;
	});

	after(async () => {
		await service.stop();
		await database.drop();
	});

	async function ask<T>(path: string): Promise<T> {
		const { status, body } = await service.call("GET", path);
		assert.equal(status, 200, JSON.stringify(body));
		return body as T;
	}

	async function refused(method: string, path: string, body?: unknown) {
		const answer = await service.call(method, path, body);
		const { error, message, details } = answer.body as {
			error: string;
			message: string;
			details: { field: string; message: string }[];
		};
		return { status: answer.status, error, message, fields: details.map(({ field }) => field), details };
	}

	it("creates, reads, changes and deletes a camera", async () => {
		const created = await service.call("POST", "/cameras", {
			cameraName: "North gate",
			location: "Hall 1",
			metadata: { lens: { mm: 35 }, tags: ["a", null] },
		});
		assert.equal(created.status, 201);
		const camera = created.body as { id: number; createdAt: string };
		assert.deepEqual(created.body, {
			id: camera.id,
			cameraName: "North gate",
			location: "Hall 1",
			status: "active",
			createdAt: camera.createdAt,
			metadata: { lens: { mm: 35 }, tags: ["a", null] },
		});
		assert.match(camera.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/);
		const changed = await service.call("PATCH", `/cameras/${camera.id}`, {
			status: "inactive",
			location: null,
		});
		assert.deepEqual(changed.body, { ...(created.body as object), status: "inactive", location: null });
		assert.deepEqual(await ask(`/cameras/${camera.id}`), changed.body);
		assert.equal((await service.call("DELETE", `/cameras/${camera.id}`)).status, 204);
		assert.equal((await refused("GET", `/cameras/${camera.id}`)).error, "camera_not_found");
		assert.equal((await refused("PATCH", `/cameras/${camera.id}`, { status: "active" })).status, 404);
		assert.equal((await refused("DELETE", `/cameras/${camera.id}`)).status, 404);
	});

	it("lists the cameras page by page, each once", async () => {
		for (let n = 0; n < 5; n += 1) {
			await service.call("POST", "/cameras", { cameraName: `Camera ${n}` });
		}
		const all = await ask<{ cameras: { id: number }[] }>("/cameras?limit=1000");
		const seen: number[] = [];
		let cursor: string | null = "";
		while (cursor !== null) {
			const page: { cameras: { id: number }[]; nextCursor: string | null } = await ask(
				`/cameras?limit=2${cursor && `&cursor=${cursor}`}`,
			);
			seen.push(...page.cameras.map(({ id }) => id));
			cursor = page.nextCursor;
		}
		assert.deepEqual(
			seen,
			all.cameras.map(({ id }) => id),
		);
	});

	it("refuses to delete a camera that has counting results", async () => {
		await service.call("POST", "/counting-results", { cameraId, countType: "person", countValue: 1 });
		const answer = await refused("DELETE", `/cameras/${cameraId}`);
		assert.deepEqual([answer.status, answer.error], [409, "camera_in_use"]);
		await ask(`/cameras/${cameraId}`);
	});

	it("names every field that is wrong at once, unknown ones too", async () => {
		const camera = await refused("POST", "/cameras", {
			cameraName: "x".repeat(101),
			status: "On!",
			colour: 1,
		});
		assert.deepEqual([camera.status, camera.error], [400, "invalid_request"]);
		assert.deepEqual(camera.fields.sort(), ["cameraName", "colour", "status"]);
		const batch = await refused("POST", "/counting-results/batch", [
			{ cameraId, countType: "person", countValue: 1 },
			{ cameraId: 0, countType: "", countValue: 1.5, confidenceScore: 2, createdAt: "yesterday" },
		]);
		assert.deepEqual(batch.fields.sort(), [
			"[1].cameraId",
			"[1].confidenceScore",
			"[1].countType",
			"[1].countValue",
			"[1].createdAt",
		]);
		const query = await refused("GET", "/counting-results?cameraId=x&from=1&limit=0&cursor=zz&page=2");
		assert.deepEqual(query.fields.sort(), ["cameraId", "cursor", "from", "limit", "page"]);
		assert.equal((await refused("GET", "/cameras/1e3")).status, 400);
		assert.deepEqual((await refused("PATCH", `/cameras/${cameraId}`, {})).fields, ["(whole)"]);
	});

	it("refuses bodies that are no JSON, too large, or hold what PostgreSQL cannot store", async () => {
		const json = await refused("POST", "/cameras", "{");
		assert.deepEqual([json.status, json.error], [400, "invalid_json"]);
		const large = await refused("POST", "/cameras", { cameraName: "x".repeat(2_100_000) });
		assert.deepEqual([large.status, large.error], [413, "body_too_large"]);
		const nul = await refused("POST", "/cameras", { cameraName: "x", metadata: { key: "\0" } });
		assert.deepEqual([nul.status, nul.error], [400, "invalid_value"]);
		assert.deepEqual((await refused("POST", "/cameras", { cameraName: "a\0b" })).fields, ["cameraName"]);
		const time = { cameraId, countType: "person", countValue: 1, createdAt: "0000-01-01T00:00:00Z" };
		assert.equal((await refused("POST", "/counting-results", time)).status, 400);
	});

	it("counts characters as PostgreSQL does", async () => {
		assert.equal((await service.call("POST", "/cameras", { cameraName: "😀".repeat(100) })).status, 201);
		assert.deepEqual((await refused("POST", "/cameras", { cameraName: "😀".repeat(101) })).fields, [
			"cameraName",
		]);
	});

	it("stores a batch whole or not at all, naming every unknown camera", async () => {
		const good = { cameraId, countType: "car", countValue: 2 };
		const answer = await refused("POST", "/counting-results/batch", [
			good,
			{ ...good, cameraId: 900_001 },
			good,
			{ ...good, cameraId: 900_002 },
		]);
		assert.deepEqual([answer.status, answer.error], [422, "unknown_camera"]);
		assert.deepEqual(answer.fields, ["[1].cameraId", "[3].cameraId"]);
		assert.match(answer.message, /900001, 900002/);
		assert.deepEqual((await ask<Page>(`/counting-results?cameraId=${cameraId}`)).results, []);
		const single = await refused("POST", "/counting-results", { ...good, cameraId: 900_001 });
		assert.deepEqual([single.status, single.fields], [422, ["cameraId"]]);
	});

	it("takes batches of 5,000 and answers with the ids in their order; one more is refused", async () => {
		const batch = Array.from({ length: 5000 }, (_, n) => ({
			cameraId,
			countType: "person",
			countValue: n,
			confidenceScore: 0.5,
			createdAt: hour(n % 24),
		}));
		const { status, body } = await service.call("POST", "/counting-results/batch", batch);
		assert.equal(status, 201);
		const { inserted, ids } = body as { inserted: number; ids: number[] };
		assert.equal(inserted, 5000);
		const stored = await withClient(database.owner, { applicationName: "test" }, (client) =>
			client.query<{ id: number; count_value: number }>(
				"SELECT id, count_value FROM counting_results WHERE camera_id = $1 ORDER BY count_value",
				[cameraId],
			),
		);
		assert.deepEqual(
			stored.rows.map(({ id }) => id),
			ids,
		);
		const more = await refused("POST", "/counting-results/batch", [...batch, batch[0]]);
		assert.deepEqual([more.status, more.fields], [400, ["(whole)"]]);
		assert.equal((await refused("POST", "/counting-results/batch", [])).status, 400);
	});

	it("pages through a camera's results newest first, exactly to the microsecond", async () => {
		const times = [
			"2026-01-01T00:00:00.000001Z",
			"2026-01-01T00:00:00.000002Z",
			"2026-01-01T00:00:00.000002Z",
			"2026-01-01T00:00:00.000003Z",
			"2026-01-01T02:00:00+01:00",
			"2026-01-02T00:00:00Z",
		];
		const { body } = await service.call(
			"POST",
			"/counting-results/batch",
			times.map((createdAt) => ({ cameraId, countType: "person", countValue: 1, createdAt })),
		);
		const { ids } = body as { ids: number[] };
		const seen: Page["results"] = [];
		let cursor: string | null = "";
		while (cursor !== null) {
			const page: Page = await ask(
				`/counting-results?cameraId=${cameraId}&limit=1${cursor && `&cursor=${cursor}`}`,
			);
			seen.push(...page.results);
			cursor = page.nextCursor;
		}
		assert.deepEqual(
			seen.map(({ id }) => id),
			[...ids].reverse(),
		);
		assert.equal(seen[1]?.createdAt, "2026-01-01T01:00:00Z");
		const range = await ask<Page>(
			`/counting-results?cameraId=${cameraId}&from=2026-01-01T00:00:00.000002Z&to=2026-01-02T00:00:00Z`,
		);
		assert.deepEqual(
			range.results.map(({ id }) => id),
			ids.slice(1, 5).reverse(),
		);
	});

	it("filters by count type and leaves other cameras out", async () => {
		const other = (await service.call("POST", "/cameras", { cameraName: "Other" })).body as { id: number };
		await service.call("POST", "/counting-results/batch", [
			{ cameraId, countType: "person", countValue: 1, confidenceScore: 0.98765 },
			{ cameraId, countType: "car", countValue: 2 },
			{ cameraId: other.id, countType: "person", countValue: 4 },
		]);
		const { results } = await ask<Page>(`/counting-results?cameraId=${cameraId}&countType=person`);
		assert.deepEqual(results, [
			{
				id: results[0]?.id,
				cameraId,
				countType: "person",
				countValue: 1,
				confidenceScore: 0.9877,
				createdAt: results[0]?.createdAt,
			},
		]);
	});

	it("adds up each hour per count type over a half-open range", async () => {
		await service.call(
			"POST",
			"/counting-results/batch",
			[
				["person", 2_000_000_000, hour(0)],
				["person", 2_000_000_000, "2026-01-01T00:59:59.999999Z"],
				["car", 3, "2026-01-01T01:30:00+01:00"],
				["person", 5, hour(1)],
				["person", 7, hour(2)],
			].map(([countType, countValue, createdAt]) => ({ cameraId, countType, countValue, createdAt })),
		);
		assert.deepEqual(
			await ask(`/counting-results/hourly?cameraId=${cameraId}&from=${hour(0)}&to=${hour(2)}`),
			{
				cameraId,
				hours: [
					{ hour: "2026-01-01T00:00:00Z", countType: "car", total: 3, results: 1 },
					{ hour: "2026-01-01T00:00:00Z", countType: "person", total: 4_000_000_000, results: 2 },
					{ hour: "2026-01-01T01:00:00Z", countType: "person", total: 5, results: 1 },
				],
			},
		);
		const path = `/counting-results/hourly?cameraId=${cameraId}`;
		assert.deepEqual((await refused("GET", `${path}&from=${hour(2)}&to=${hour(2)}`)).fields, ["to"]);
		assert.deepEqual((await refused("GET", `${path}&from=${hour(0)}&to=2028-01-01T00:00:00Z`)).fields, [
			"to",
		]);
	});

	it("says which endpoints it does not have", async () => {
		assert.deepEqual(await refused("GET", "/nothing?key=value"), {
			status: 404,
			error: "no_such_endpoint",
			message: "there is no GET /nothing",
			fields: [],
			details: [],
		});
	});
});
