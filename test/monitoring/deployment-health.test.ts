import assert from "node:assert/strict";
import {
	type DeploymentHealth,
	readDeploymentHealth,
	readDeploymentMetrics,
} from "../../components/monitoring/deployment-health";
import { TestCatalog } from "./catalog";

describe("the figures of an environment's deployments", () => {
	let catalog: TestCatalog;

	beforeEach(async () => {
		catalog = await TestCatalog.make();
		// One transaction, so that now and today stay what they are.
		await catalog.client.query("BEGIN");
	});

	afterEach(() => catalog.drop());

	const rowsOf = async (sql: string) => (await catalog.client.query(sql)).rows;

	it("are zeros and empty lists before the first deployment", async () => {
		assert.deepEqual(await rowsOf("SELECT get_deployment_health() AS health"), [
			{
				health: {
					deployment_health: {
						total_deployments_today: 0,
						successful_deployments_today: 0,
						failed_deployments_today: 0,
						active_deployments: 0,
						avg_deployment_time_minutes: 0,
					},
					environment_status: [],
					recent_rollbacks: [],
				},
			},
		]);
		assert.deepEqual(await readDeploymentMetrics(catalog.client), []);
		assert.deepEqual(await rowsOf("SELECT * FROM deployment_performance"), []);
	});

	it("have no time and no rate while the first deployment runs", async () => {
		await catalog.deployment({ status: "running" });
		assert.deepEqual(await readDeploymentMetrics(catalog.client), [
			{
				environment: "staging",
				total: 1,
				successful: 0,
				failed: 0,
				rolledBack: 0,
				successRate: 0,
				averageSeconds: 0,
				longestSeconds: 0,
			},
		]);
		const health = await readDeploymentHealth(catalog.client);
		assert.equal(health.deployment_health.active_deployments, 1);
		assert.deepEqual(health.environment_status, []);
	});

	it("count the last 30 days by environment, with the rate and the times of those that ended", async () => {
		await catalog.deployment({ status: "completed", took: "1 minute" });
		await catalog.deployment({
			status: "completed",
			took: "2 minutes",
			created: "now() - interval '29 days'",
		});
		await catalog.deployment({ status: "failed", took: "3 seconds" });
		await catalog.deployment({ status: "rolled_back", took: "10 minutes" });
		await catalog.deployment({ status: "running" });
		await catalog.deployment({ status: "pending" });
		await catalog.deployment({ status: "failed", took: "1 day", created: "now() - interval '30 days'" });
		await catalog.deployment({ status: "completed", took: "7.5 seconds", environment: "production" });
		assert.deepEqual(await readDeploymentMetrics(catalog.client), [
			{
				environment: "production",
				total: 1,
				successful: 1,
				failed: 0,
				rolledBack: 0,
				successRate: 100,
				averageSeconds: 7.5,
				longestSeconds: 7.5,
			},
			{
				environment: "staging",
				total: 6,
				successful: 2,
				failed: 1,
				rolledBack: 1,
				successRate: 50,
				averageSeconds: 195.75,
				longestSeconds: 600,
			},
		]);
	});

	it("class every deployment that ended by how long it took", async () => {
		for (const took of ["0", "299.999 seconds", "300 seconds", "899.999 seconds", "900 seconds", "2 days"]) {
			await catalog.deployment({ status: "failed", took });
		}
		await catalog.deployment({ status: "running" });
		const rows = await rowsOf(
			"SELECT deployment_duration_seconds::float8 AS seconds, performance_category AS class FROM deployment_performance ORDER BY pipeline_id",
		);
		assert.deepEqual(
			rows.map(({ seconds, class: category }) => [seconds, category]),
			[
				[0, "FAST"],
				[299.999, "FAST"],
				[300, "NORMAL"],
				[899.999, "NORMAL"],
				[900, "SLOW"],
				[172_800, "SLOW"],
			],
		);
	});

	it("count today's deployments and those that run, and average the successful ones of seven days", async () => {
		const yesterday = "CURRENT_DATE - interval '1 second'";
		await catalog.deployment({ status: "completed", took: "1 minute" });
		await catalog.deployment({ status: "completed", took: "2 minutes", created: yesterday });
		await catalog.deployment({ status: "completed", took: "1 hour", created: "now() - interval '8 days'" });
		await catalog.deployment({ status: "failed", took: "1 hour" });
		await catalog.deployment({ status: "rolled_back", took: "1 hour" });
		await catalog.deployment({ status: "failed", took: "1 second", created: yesterday });
		await catalog.deployment({ status: "running", created: yesterday });
		await catalog.deployment({ status: "running", environment: "production" });
		await catalog.deployment({ status: "pending" });
		assert.deepEqual((await readDeploymentHealth(catalog.client)).deployment_health, {
			total_deployments_today: 5,
			successful_deployments_today: 1,
			failed_deployments_today: 1,
			active_deployments: 2,
			avg_deployment_time_minutes: 1.5,
		});
	});

	it("tell each environment by its last deployment that ended, whatever runs now", async () => {
		await catalog.deployment({
			status: "failed",
			created: "TIMESTAMPTZ '2026-01-01 00:00Z'",
			took: "9 hours",
		});
		await catalog.deployment({
			status: "completed",
			created: "TIMESTAMPTZ '2026-01-01 01:00Z'",
			took: "1 hour",
		});
		await catalog.deployment({ status: "running" });
		await catalog.deployment({
			status: "completed",
			environment: "production",
			created: "TIMESTAMPTZ '2026-01-02 00:00Z'",
			took: "1.5 seconds",
		});
		await catalog.client.query("SET TIME ZONE 'UTC'");
		assert.deepEqual((await readDeploymentHealth(catalog.client)).environment_status, [
			{
				environment: "production",
				last_deployment: "2026-01-02T00:00:01.5+00:00",
				last_status: "completed",
				is_healthy: true,
			},
			{
				environment: "staging",
				last_deployment: "2026-01-01T09:00:00+00:00",
				last_status: "failed",
				is_healthy: false,
			},
		]);
	});

	it("name the last ten rollbacks of seven days, newest first", async () => {
		const id = await catalog.deployment({ status: "rolled_back" });
		await catalog.rollback(id, "too old", "now() - interval '8 days'");
		for (let hours = 12; hours > 0; hours--) {
			await catalog.rollback(id, `${hours} hours ago`, `now() - interval '${hours} hours'`);
		}
		const { recent_rollbacks: rollbacks }: DeploymentHealth = await readDeploymentHealth(catalog.client);
		assert.deepEqual(
			rollbacks.map(({ started_at: _, ...rollback }) => rollback),
			[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((hours) => ({
				pipeline_id: id,
				rollback_reason: `${hours} hours ago`,
				rollback_type: "automatic",
			})),
		);
	});

	it("are read without going through the rows of years of deployments", async () => {
		await catalog.client.query("COMMIT");
		await catalog.client.query(
			`INSERT INTO deployment_pipelines (pipeline_name, pipeline_version, environment, status, created_at, started_at,
				completed_at)
			SELECT 'counting', '1.0.' || n, (ARRAY['staging', 'production'])[n % 2 + 1], 'completed', at, at,
				at + interval '1 minute'
			FROM (SELECT n, now() - n * interval '1 hour' AS at FROM generate_series(1, 20000) AS n) AS each`,
		);
		await catalog.client.query("VACUUM ANALYZE deployment_pipelines");
		const read = async () => {
			await catalog.client.query("SELECT pg_stat_force_next_flush()");
			const [row] = await rowsOf(
				`SELECT seq_tup_read::int AS rows, idx_tup_fetch::int AS fetched FROM pg_stat_user_tables
				WHERE relname = 'deployment_pipelines'`,
			);
			return row;
		};
		const before = await read();
		await rowsOf("SELECT get_deployment_health()");
		await rowsOf("SELECT * FROM deployment_metrics");
		await rowsOf(
			"SELECT * FROM deployment_performance ORDER BY completed_at DESC, pipeline_id DESC LIMIT 10",
		);
		const after = await read();
		assert.equal(after.rows, before.rows);
		assert.ok(after.fetched - before.fetched < 1000, `${after.fetched - before.fetched} rows were fetched`);
	});
});
