import assert from "node:assert/strict";
import { TestCatalog } from "../monitoring/catalog";
import { type CommandResult, finished } from "../support/project";
import { useDevelopment } from "./development";
import { FIRST_RELEASE, useStaging } from "./staging";

describe("the deployment monitoring", () => {
	const staging = useStaging();
	const development = useDevelopment();
	let catalog: TestCatalog;

	beforeEach(async () => {
		catalog = await TestCatalog.make();
		// One transaction, so that now and today stay what they are.
		await catalog.client.query("BEGIN; SET LOCAL TIME ZONE 'UTC'");
	});

	afterEach(() => catalog.drop());

	const rowsOf = async (sql: string) => (await catalog.client.query(sql)).rows;
	const health = async () => (await rowsOf("SELECT get_deployment_health() AS health"))[0].health;

	it("deployment_metrics: totals, success rate, average and longest time of 30 days for each environment", async () => {
		await catalog.deployment({ status: "completed", took: "100 seconds" });
		await catalog.deployment({
			status: "completed",
			took: "200 seconds",
			created: "now() - interval '29 days'",
		});
		await catalog.deployment({ status: "failed", took: "60 seconds" });
		await catalog.deployment({ status: "rolled_back", took: "400 seconds" });
		await catalog.deployment({ status: "completed", took: "9 hours", created: "now() - interval '31 days'" });
		await catalog.deployment({ status: "completed", took: "1 second", environment: "production" });
		const rows = await rowsOf("SELECT * FROM deployment_metrics");
		assert.deepEqual(
			rows.map((row) =>
				Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(Number(value) || value)])),
			),
			[
				{
					environment: "production",
					total_deployments: "1",
					successful_deployments: "1",
					failed_deployments: "0",
					rollback_deployments: "0",
					success_rate: "100",
					avg_deployment_time_seconds: "1",
					max_deployment_time_seconds: "1",
				},
				{
					environment: "staging",
					total_deployments: "4",
					successful_deployments: "2",
					failed_deployments: "1",
					rollback_deployments: "1",
					success_rate: "50",
					avg_deployment_time_seconds: "190",
					max_deployment_time_seconds: "400",
				},
			],
		);
	});

	it("deployment_metrics: counts what a real stack went through", async () => {
		const rows = await development().project.catalog(
			`SELECT environment, total_deployments::int AS total, successful_deployments::int AS successful,
				failed_deployments::int AS failed, rollback_deployments::int AS rolled_back, success_rate::float8 AS rate,
				avg_deployment_time_seconds BETWEEN 0.1 AND max_deployment_time_seconds AS timed
			FROM deployment_metrics`,
		);
		assert.deepEqual(rows, [
			{
				environment: "development",
				total: 6,
				successful: 5,
				failed: 0,
				rolled_back: 1,
				rate: 83.33,
				timed: true,
			},
		]);
	});

	it("deployment_performance: FAST under 300 s, NORMAL under 900 s, SLOW from there", async () => {
		for (const took of ["0", "299.999 seconds", "300 seconds", "899.999 seconds", "900 seconds"]) {
			await catalog.deployment({ status: "completed", took });
		}
		await catalog.deployment({ status: "running" });
		const rows = await rowsOf("SELECT * FROM deployment_performance ORDER BY pipeline_id");
		assert.deepEqual(
			rows.map((row) => row.performance_category),
			["FAST", "FAST", "NORMAL", "NORMAL", "SLOW"],
		);
		const wanted = [
			"pipeline_name",
			"environment",
			"status",
			"deployment_duration_seconds",
			"performance_category",
			"triggered_by",
			"git_commit_hash",
			"git_branch",
		];
		assert.deepEqual(
			wanted.filter((column) => !(column in rows[0])),
			[],
		);
	});

	it("get_deployment_health: has exactly the keys that are asked for", async () => {
		const id = await catalog.deployment({ status: "rolled_back" });
		await catalog.rollback(id, "too slow", "now()");
		const found = await health();
		assert.deepEqual(Object.keys(found).sort(), [
			"deployment_health",
			"environment_status",
			"recent_rollbacks",
		]);
		assert.deepEqual(Object.keys(found.deployment_health).sort(), [
			"active_deployments",
			"avg_deployment_time_minutes",
			"failed_deployments_today",
			"successful_deployments_today",
			"total_deployments_today",
		]);
		assert.deepEqual(Object.keys(found.environment_status[0]).sort(), [
			"environment",
			"is_healthy",
			"last_deployment",
			"last_status",
		]);
		assert.deepEqual(Object.keys(found.recent_rollbacks[0]).sort(), [
			"pipeline_id",
			"rollback_reason",
			"rollback_type",
			"started_at",
		]);
	});

	it("get_deployment_health: counts today's and running deployments, and averages those of seven days", async () => {
		const yesterday = "CURRENT_DATE - interval '1 second'";
		await catalog.deployment({ status: "completed", took: "1 minute" });
		await catalog.deployment({ status: "failed", took: "9 minutes" });
		await catalog.deployment({ status: "running" });
		await catalog.deployment({ status: "completed", took: "2 minutes", created: yesterday });
		await catalog.deployment({
			status: "completed",
			took: "9 minutes",
			created: "now() - interval '8 days'",
		});
		assert.deepEqual((await health()).deployment_health, {
			total_deployments_today: 3,
			successful_deployments_today: 1,
			failed_deployments_today: 1,
			active_deployments: 1,
			avg_deployment_time_minutes: 1.5,
		});
	});

	it("get_deployment_health: tells of each environment how its last deployment ended", async () => {
		await catalog.deployment({
			status: "failed",
			environment: "production",
			created: "TIMESTAMPTZ '2026-01-01 08:00Z'",
		});
		await catalog.deployment({ status: "failed", created: "TIMESTAMPTZ '2026-01-01 08:00Z'" });
		await catalog.deployment({
			status: "completed",
			created: "TIMESTAMPTZ '2026-01-02 08:00Z'",
			took: "90 seconds",
		});
		assert.deepEqual((await health()).environment_status, [
			{
				environment: "production",
				last_deployment: "2026-01-01T08:00:00+00:00",
				last_status: "failed",
				is_healthy: false,
			},
			{
				environment: "staging",
				last_deployment: "2026-01-02T08:01:30+00:00",
				last_status: "completed",
				is_healthy: true,
			},
		]);
	});

	it("get_deployment_health: lists the last ten rollbacks of seven days, newest first", async () => {
		const id = await catalog.deployment({ status: "rolled_back" });
		await catalog.rollback(id, "of last week", "now() - interval '8 days'");
		for (let hours = 11; hours > 0; hours--) {
			await catalog.rollback(id, `of ${hours} h ago`, `now() - interval '${hours} hours'`);
		}
		const { recent_rollbacks: rollbacks } = (await health()) as {
			recent_rollbacks: { rollback_reason: string }[];
		};
		assert.deepEqual(
			rollbacks.map((rollback) => rollback.rollback_reason),
			Array.from({ length: 10 }, (_, index) => `of ${index + 1} h ago`),
		);
	});

	it("notifications: a webhook is told of each deployment's start and end", () => {
		const { receiver } = staging();
		const told = receiver.requests.map(
			({ body }) => JSON.parse(body) as { type: string; data: { deploymentId: number } },
		);
		const of = (id: number) =>
			// A message that was answered late came again.
			[...new Set(told.filter(({ data }) => data.deploymentId === id).map(({ type }) => type))].sort();
		assert.deepEqual([1, 2, 3, 4, 5].map(of), [
			["deployment.started", "deployment.succeeded"],
			["deployment.started", "deployment.succeeded"],
			["deployment.rolled_back", "deployment.started"],
			["deployment.failed", "deployment.started"],
			["deployment.rolled_back", "deployment.started"],
		]);
	});

	it("monitoring: a stack's status and its figures for Prometheus are told by commands", async () => {
		const { project } = staging();
		const run = async (script: string, ...args: string[]): Promise<CommandResult> => {
			const result = await finished(project.start(["--stack", project.stack, ...args], {}, script));
			assert.equal(result.code, 0, result.output);
			return result;
		};
		const { status } = JSON.parse((await run("status.ts", "--json")).stdout);
		assert.deepEqual([status.release, status.traffic.live], [FIRST_RELEASE, "blue"]);
		const { stdout } = await run("metrics.ts", "--once");
		for (const line of [
			"deployment_catalog_up 1",
			'deployments_month{environment="staging"} 5',
			'deployments_month_outcomes{environment="staging",outcome="rolled_back"} 1',
			'deployments_month_outcomes{environment="staging",outcome="failed"} 1',
			'deployments_month_success_percent{environment="staging"} 60',
			'deployment_last_result{outcome="rolled_back"} 1',
		]) {
			assert.ok(stdout.split("\n").includes(line), `${line}\n${stdout}`);
		}
	});

	it("monitoring: a stack that was put right again is healthy", async () => {
		const [row] = await development().project.catalog<{ status: unknown }>(
			"SELECT get_deployment_health() #> '{environment_status,0,is_healthy}' AS status",
		);
		assert.equal(row?.status, true);
	});
});
