import assert from "node:assert/strict";
import type { Connection } from "../../components/database/connection";
import { fill } from "../../demo/fill";
import { Load, type LoadReport, longestGap } from "../../demo/load";
import { verifyWrites } from "../../demo/verify";
import { RunningGateway } from "../gateway/running-gateway";
import { createSchema, RunningService } from "../service/running-service";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { query } from "../support/project";
import { until } from "../support/waiting";

describe("the demo's load", () => {
	let database: TestDatabase;
	let owner: Connection;
	let service: RunningService;
	let gateway: RunningGateway;
	let cameraIds: number[];

	before(async () => {
		database = await testDatabase();
		owner = database.owner;
		await createSchema(owner, "1.3.0");
		cameraIds = await fill(owner, 20_000);
		service = await RunningService.start(owner);
		gateway = await RunningGateway.start();
		await gateway.client.putTarget("blue", { url: service.url });
	});

	beforeEach(() => gateway.client.route({ target: "blue" }));

	after(async () => {
		await gateway.stop();
		await service.stop();
		await database.drop();
	});

	/** Reads and writes until `enough` is so. */
	async function loadUntil(
		what: string,
		enough: (soFar: Readonly<LoadReport>) => boolean,
	): Promise<LoadReport> {
		const load = new Load({ url: gateway.url, cameraIds, readsPerSecond: 100, writesPerSecond: 100 });
		try {
			await until(what, () => enough(load.soFar) || undefined);
		} finally {
			await load.stop();
		}
		return load.soFar;
	}

	const acknowledged = (count: number) =>
		loadUntil(`${count} writes`, ({ acknowledged }) => acknowledged.length >= count);

	it("finds cameras and as many results as were asked for, spread over them", async () => {
		assert.equal(new Set(cameraIds).size, 50);
		const rows = await query(
			owner,
			`SELECT count(*)::integer AS results, count(DISTINCT camera_id)::integer AS cameras,
				bool_and(created_at < now()) AS earlier
			FROM counting_results WHERE camera_id = ANY ($1)`,
			[cameraIds],
		);
		assert.equal(rows[0]?.cameras, 50);
		assert.equal(rows[0]?.results, 20_000);
		assert.equal(rows[0]?.earlier, true);
	});

	it("knows every write that was acknowledged, one by one and in batches, and finds each once", async () => {
		const report = await acknowledged(200);
		assert.deepEqual(report.failures, []);
		assert.ok(report.reads > 0);
		// A batch is one request with several results.
		assert.ok(report.acknowledged.length > report.acknowledgedAt.length);
		assert.equal(report.acknowledgedAt.length, report.writes);
		assert.equal(report.latencies.length, report.reads + report.writes);
		assert.deepEqual(await verifyWrites(owner, report.acknowledged), {
			checked: report.acknowledged.length,
			lost: [],
			duplicated: [],
		});
		const stored = await query(
			owner,
			"SELECT count(*)::integer AS count FROM counting_results WHERE count_type LIKE 'load-%'",
		);
		assert.deepEqual(stored, [{ count: report.acknowledged.length }]);
	});

	it("finds writes that were lost, changed, renumbered or stored twice", async () => {
		const report = await acknowledged(20);
		const [lost, changed, renumbered, doubled] = report.acknowledged.map(({ marker }) => marker);
		await query(owner, "DELETE FROM counting_results WHERE count_type = $1", [lost]);
		await query(owner, "UPDATE counting_results SET count_value = 7777 WHERE count_type = $1", [changed]);
		await query(
			owner,
			"UPDATE counting_results SET id = nextval('counting_results_id_seq') WHERE count_type = $1",
			[renumbered],
		);
		await query(
			owner,
			`INSERT INTO counting_results (camera_id, count_type, count_value)
			SELECT camera_id, count_type, count_value FROM counting_results WHERE count_type = $1`,
			[doubled],
		);
		const found = await verifyWrites(owner, report.acknowledged);
		assert.equal(found.checked, report.acknowledged.length);
		assert.deepEqual(found.duplicated, [doubled]);
		assert.deepEqual(
			found.lost.filter((marker) => marker !== doubled),
			[lost, changed, renumbered],
		);
	});

	it("tells each request that was not served, and acknowledges none of them", async () => {
		await gateway.client.route({ target: null });
		const report = await loadUntil("20 failures", ({ failures }) => failures.length >= 20);
		assert.equal(report.failures.length, report.reads + report.writes);
		assert.deepEqual(report.acknowledged, []);
		assert.match(report.failures[0]!.what, /^(GET|POST) \/[a-z-]+(\/[a-z0-9]+)?: 503 /);
	});

	it("counts the longest time of a span without a moment, also at its ends", () => {
		assert.equal(longestGap([0, 10, 50, 60, 500], 5, 90), 40);
		assert.equal(longestGap([0, 60, 70, 500], 5, 90), 55);
		assert.equal(longestGap([0, 10, 50, 500], 5, 100), 50);
		assert.equal(longestGap([], 0, 100), 100);
	});
});
