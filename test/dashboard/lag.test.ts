import assert from "node:assert/strict";
import { noteColor, noteLive } from "../../components/catalog/blue-green";
import { withClient } from "../../components/database/connection";
import { CatalogReader } from "../../dashboard/reading/catalog-reader";
import { DashboardBench } from "./bench";

describe("the lag that the dashboard shows", () => {
	let bench: DashboardBench;
	let reader: CatalogReader;

	beforeEach(async () => {
		bench = await DashboardBench.open();
		reader = new CatalogReader({ catalog: bench.reader, stack: "staging", environment: "staging" });
		const outcome = { status: "completed" as const, rollback: false, health: [] };
		for (const node of [bench.node("green", 2), bench.node("blue", 1)]) {
			await noteColor(bench.client, "staging", node, "1.2.0", "deploying");
			await noteLive(bench.client, node, outcome);
		}
	});

	afterEach(async () => {
		await reader.close();
		await bench.close();
	});

	const lag = async () => (await reader.read()).sections.lag;

	it("is none while nothing follows the live colour", async () => {
		assert.equal(await lag(), null);
	});

	it("is what the slot of the live colour keeps for the other one, and whether that is connected", async () => {
		const blue = bench.node("blue", 1);
		await bench.createDatabase(blue);
		const slot = `${bench.base}_1_to_2`;
		const session = { applicationName: "test" };
		await withClient(blue.admin, session, async (client) => {
			await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
			await client.query("CREATE TABLE rows AS SELECT generate_series(1, 10000)");
		});
		const found = await lag();
		assert.deepEqual(found, {
			source: "slots",
			unit: "bytes",
			links: [
				{
					id: slot,
					from: "blue-1",
					to: "green-2",
					connected: false,
					value: found?.links[0]?.value,
					at: null,
				},
			],
		});
		assert((found.links[0]?.value ?? 0) > 100_000);
	});

	it("is what the newest health check found, where the slot is on a server that cannot be asked", async () => {
		const insert = `INSERT INTO deployment_health_checks (environment, color, check_name, status, figure, unit, detail, checked_at)
			VALUES ('staging', 'blue', 'replication_lag', 'PASS', $1, 'bytes', 'green-2 follows blue-1', $2)`;
		await bench.client.query(insert, [100, "2026-01-01T10:00:00Z"]);
		await bench.client.query(insert, [4096, "2026-01-01T11:00:00Z"]);
		assert.deepEqual(await lag(), {
			source: "checks",
			unit: "bytes",
			links: [
				{
					id: "check",
					from: "blue-1",
					to: "green-2",
					connected: null,
					value: 4096,
					at: "2026-01-01T11:00:00.000Z",
				},
			],
		});
	});
});
