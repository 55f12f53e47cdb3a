import assert from "node:assert/strict";
import type { RunningService } from "../service/running-service";
import { query } from "../support/project";
import { until } from "../support/waiting";
import { contentsOf, fill, runShipped, type StagedDatabase, serviceOn, stagedDatabase } from "./support";

describe("the tests of the API", () => {
	let database: StagedDatabase;
	let service: RunningService;

	async function open(fence: "closed" | "none"): Promise<void> {
		database = await stagedDatabase(fence);
		await fill(database);
		service = await serviceOn(database);
	}

	afterEach(async () => {
		await service.stop();
		await database.close();
	});

	it("pass on a colour without traffic and leave nothing behind, not even a drawn id", async () => {
		await open("closed");
		const before = await contentsOf(database);
		const { passed, lines, failed } = await runShipped("api-integration", database, { url: service.url });
		assert.deepEqual(failed, [], lines.join("\n"));
		assert.ok(passed);
		assert.ok(!lines.some((line) => line.includes("# SKIP")), lines.join("\n"));
		assert.deepEqual(await contentsOf(database), before);
	});

	it("pass on a service that has the traffic and leave no row behind", async () => {
		await open("none");
		const rows = () =>
			query(database.owner, "SELECT count(*)::int AS cameras, max(id) AS newest FROM cameras");
		const before = await rows();
		await query(
			database.owner,
			"SELECT setval(pg_get_serial_sequence(name, 'id'), 1000) FROM unnest(ARRAY['cameras', 'counting_results']) AS name",
		);
		const { lines, failed } = await runShipped("api-integration", database, {
			url: service.url,
			strategy: "in-place",
			writes: "served",
		});
		assert.deepEqual(failed, [], lines.join("\n"));
		assert.deepEqual(await rows(), before);
	});

	it("find a service that cannot read what it needs", async () => {
		await open("closed");
		await query(database.owner, "ALTER TABLE counting_results RENAME COLUMN count_value TO counted");
		const { passed, failed } = await runShipped("api-integration", database, { url: service.url });
		assert.equal(passed, false);
		assert.deepEqual(failed, [
			"counting results come newest first",
			"a batch of results is stored as it was sent",
			"a camera with results stays",
		]);
	});

	it("find a colour that lets the application write before it has the traffic", async () => {
		await open("none");
		const { failed } = await runShipped("api-integration", database, { url: service.url });
		assert.ok(failed.includes("writes are refused before the colour has the traffic, to be tried again"));
	});

	it("find a cache that would answer before the service has the traffic, and not that there is no queue", async () => {
		await open("none");
		const path = "/counting-results/hourly?cameraId=1&from=2000-01-01T00:00:00Z&to=2000-01-01T01:00:00Z";
		await until("the cache is in use", async () => {
			const { headers } = await service.call("GET", path);
			return headers.get("x-cache") !== "bypass";
		});
		const served = await runShipped("cache", database, { url: service.url, writes: "served" });
		assert.deepEqual(served.failed, [], served.lines.join("\n"));
		const refused = await runShipped("cache", database, { url: service.url });
		assert.deepEqual(refused.failed, ["the cache of a service without traffic is bypassed"]);
		const queue = await runShipped("queue", database, { url: service.url });
		assert.deepEqual(queue.lines, ["ok 1 - the queue of batches # SKIP the release has no queue", "1..1"]);
	});

	it("say that they do not know another service", async () => {
		await open("closed");
		const { lines } = await runShipped("api-integration", database, {
			url: service.url,
			settings: { serviceEntry: "service/other.ts" },
		});
		assert.ok(
			lines.some((line) =>
				line.endsWith("# SKIP service/other.ts is a service that these tests do not know"),
			),
		);
	});

	it("are passed by a service under load that keeps its limits, and not by one that does not", async () => {
		await open("closed");
		const before = await contentsOf(database);
		const args = ["--seconds=1", "--connections=2", "--min-requests=1", "--p99-ms=10000"];
		const good = await runShipped("load", database, { url: service.url, args });
		assert.deepEqual(good.failed, [], good.lines.join("\n"));
		assert.equal(good.lines.at(-1), "1..3");
		const slow = await runShipped("load", database, {
			url: service.url,
			args: [...args.slice(0, 3), "--p99-ms=0"],
		});
		assert.equal(slow.passed, false);
		assert.match(slow.failed.join(), /^the 99th percentile is [\d.]+ ms$/);
		assert.deepEqual(await contentsOf(database), before);
	});

	it("are not passed by a service under load whose requests fail", async () => {
		await open("closed");
		await query(database.owner, `REVOKE SELECT ON counting_results FROM "${database.application.user}"`);
		const { failed } = await runShipped("load", database, {
			url: service.url,
			args: ["--seconds=1", "--connections=2", "--min-requests=1", "--p99-ms=10000"],
		});
		assert.match(failed.join(), /^[\d.]+ % of the requests failed$/);
	});
});
