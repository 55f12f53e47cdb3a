import assert from "node:assert/strict";
import { noteColor, noteDropped, noteLive } from "../../components/catalog/blue-green";
import { closeDeployment, openDeployment } from "../../components/catalog/deployments";
import { announceMigrations, writeSteps } from "../../components/catalog/migrations";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import { readDeploymentStatus } from "../../components/monitoring/deployment-status";
import { nodeOf } from "../../components/replication/environment";
import { TestCatalog } from "./catalog";

const NO_DEPLOYMENT = {
	pipelineName: "counting_local",
	environment: "staging",
	triggeredBy: "ana",
	config: {},
} as const;

describe("the status of an environment", () => {
	let catalog: TestCatalog;

	beforeEach(async () => {
		catalog = await TestCatalog.make();
	});

	afterEach(() => catalog.drop());

	/** Writes a migration of a database down as applied by a deployment. */
	async function applied(database: string, deploymentId: number): Promise<void> {
		const ids = await announceMigrations(catalog.client, database, [
			{
				version: "1.0.0",
				name: "begin",
				type: "schema",
				sql: "",
				rollbackSql: null,
				dependsOn: [],
				checksum: "0".repeat(64),
			},
		]);
		await writeSteps(catalog.client, [
			{
				migrationId: ids.get("1.0.0")!,
				deploymentId,
				step: "apply",
				stepStatus: "completed",
				at: new Date(),
				migration: {
					status: "completed",
					isApplied: true,
					appliedAt: new Date("2026-01-01T00:00:00Z"),
					appliedBy: "ana",
					durationMs: 12,
				},
			},
		]);
	}

	it("is refused before any update has reached the catalog", async () => {
		await assert.rejects(
			readDeploymentStatus(catalog.client),
			/the catalog has no environment yet: run an update/,
		);
		// The transaction is over, so the connection can be used on.
		assert.equal((await catalog.client.query("SELECT 1 AS one")).rows[0].one, 1);
	});

	it("tells nothing of deployments where there were none", async () => {
		await catalog.mirror("in-place");
		const { takenAt, health, ...status } = await readDeploymentStatus(catalog.client);
		assert.match(takenAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
		assert.equal(health.deployment_health.total_deployments_today, 0);
		assert.deepEqual(status, {
			environment: {
				stack: "local",
				type: "staging",
				strategy: "in-place",
				platform: "local",
				monitoring: true,
				alerting: false,
			},
			release: null,
			traffic: null,
			colors: [],
			migrations: [],
			running: null,
			deployments: [],
			rollbacks: [],
			healthChecks: [],
			metrics: [],
		});
	});

	it("tells the database, its migrations and the release of strategy in-place", async () => {
		await catalog.mirror("in-place");
		const id = await openDeployment(catalog.client, { ...NO_DEPLOYMENT, release: "1.3.0" });
		await applied("counting_local", id);
		await applied("counting_elsewhere", id);
		await closeDeployment(catalog.client, id, { status: "completed" });
		const failed = await openDeployment(catalog.client, { ...NO_DEPLOYMENT, release: "1.4.0" });
		await closeDeployment(catalog.client, failed, { status: "failed", error: "it does not start" });
		const { release, migrations, deployments, running } = await readDeploymentStatus(catalog.client);
		assert.equal(release, "1.3.0");
		assert.equal(running, null);
		assert.deepEqual(migrations, [
			{
				database: "counting_local",
				version: "1.0.0",
				name: "begin",
				type: "schema",
				status: "completed",
				isApplied: true,
				appliedAt: "2026-01-01T00:00:00.000Z",
				durationMs: 12,
				error: null,
			},
		]);
		assert.deepEqual(
			deployments.map(({ id: each, status, performance, error }) => [each, status, performance, error]),
			[
				[failed, "failed", "FAST", "it does not start"],
				[id, "completed", "FAST", null],
			],
		);
	});

	it("tells who has the traffic, each colour's release, what runs with its stages, and why rollbacks were", async () => {
		await catalog.mirror("blue-green");
		const { owner } = catalog.database;
		const servers = {
			base: "counting_local",
			blue: owner,
			green: owner,
			replicationUser: "r",
			replicationPassword: "p",
		};
		const [blue, green] = [nodeOf(servers, "blue", 3), nodeOf(servers, "green", 12)];
		await noteColor(catalog.client, "staging", blue, "1.2.0", "deploying");
		await noteColor(catalog.client, "staging", green, "1.3.0", "deploying");
		await noteLive(catalog.client, green, { status: "completed", rollback: false, health: [] });
		const first = await openDeployment(catalog.client, {
			...NO_DEPLOYMENT,
			release: "1.4.0",
			gitCommit: "abc",
		});
		const rollback = await startRollback(catalog.client, {
			deploymentId: first,
			type: "health_check_failure",
			reason: "3 % of the requests failed",
			previousVersion: "1.4.0",
			targetVersion: "1.3.0",
		});
		await finishRollback(catalog.client, rollback, { steps: [] });
		await closeDeployment(catalog.client, first, { status: "rolled_back", error: "bake" });
		const second = await openDeployment(catalog.client, { ...NO_DEPLOYMENT, release: "1.4.1" });
		await catalog.client.query(
			`INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type, status, started_at,
				completed_at, duration_ms, stage_output)
			VALUES ($1, 'Run Unit Tests', 2, 'test', 'running', '2026-01-01 00:00Z', NULL, NULL, NULL),
				($1, 'Build Database Schema', 1, 'build', 'completed', '2026-01-01 00:00Z', '2026-01-01 00:01Z', 60000, 'done')`,
			[second],
		);

		const status = await readDeploymentStatus(catalog.client);

		assert.equal(status.release, null);
		assert.deepEqual(
			{ ...status.traffic, switchCompletedAt: null },
			{
				live: "green",
				status: "completed",
				switchStartedAt: null,
				switchCompletedAt: null,
				rollbackTriggered: false,
			},
		);
		assert.deepEqual(
			status.colors.map(({ host, port, ...color }) => {
				assert.deepEqual([host, port], [owner.host, owner.port]);
				return color;
			}),
			[
				{
					color: "green",
					isLive: true,
					generation: 12,
					release: "1.3.0",
					database: "counting_local_green_12",
				},
				{ color: "blue", isLive: false, generation: 3, release: "1.2.0", database: "counting_local_blue_3" },
			],
		);
		assert.equal(status.running?.id, second);
		assert.deepEqual(status.running?.stages, [
			{
				name: "Build Database Schema",
				order: 1,
				type: "build",
				status: "completed",
				startedAt: "2026-01-01T00:00:00.000Z",
				completedAt: "2026-01-01T00:01:00.000Z",
				durationMs: 60_000,
				output: "done",
				error: null,
			},
			{
				name: "Run Unit Tests",
				order: 2,
				type: "test",
				status: "running",
				startedAt: "2026-01-01T00:00:00.000Z",
				completedAt: null,
				durationMs: null,
				output: null,
				error: null,
			},
		]);
		assert.deepEqual(
			status.rollbacks.map(({ startedAt: _, completedAt: __, ...each }) => each),
			[
				{
					id: rollback,
					deploymentId: first,
					type: "health_check_failure",
					reason: "3 % of the requests failed",
					from: "1.4.0",
					to: "1.3.0",
					status: "completed",
					error: null,
				},
			],
		);
		assert.deepEqual(
			status.metrics.map(({ total, rolledBack, successRate }) => [total, rolledBack, successRate]),
			[[2, 1, 0]],
		);
		assert.deepEqual(JSON.parse(JSON.stringify(status)), status);
	});

	it("forgets the release of a colour's database with the database", async () => {
		await catalog.mirror("blue-green");
		const { owner } = catalog.database;
		const servers = {
			base: "counting_local",
			blue: owner,
			green: owner,
			replicationUser: "r",
			replicationPassword: "p",
		};
		const node = nodeOf(servers, "green", 2);
		await noteColor(catalog.client, "staging", node, "1.2.0", "deploying");
		await noteColor(catalog.client, "staging", node, "1.3.0", "deploying");
		assert.equal((await readDeploymentStatus(catalog.client)).colors[0]?.release, "1.3.0");
		await noteDropped(catalog.client, node, undefined);
		assert.deepEqual((await readDeploymentStatus(catalog.client)).colors, []);
		assert.deepEqual((await catalog.client.query("SELECT FROM color_releases")).rows, []);
	});

	it("tells the newest result of each health check of each colour", async () => {
		await catalog.mirror("blue-green");
		const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`;
		for (const [color, check, status, figure, unit, minute] of [
			["green", "performance", "PASS", 12, "ms", 1],
			["green", "performance", "WARNING", 120.5, "ms", 2],
			["blue", "performance", "FAIL", 900, "ms", 1],
			["green", "database_connectivity", "PASS", null, null, 1],
			[null, "database_connectivity", "FAIL", null, null, 3],
		] as const) {
			await catalog.client.query(
				`INSERT INTO deployment_health_checks (environment, color, check_name, status, figure, unit, detail, checked_at)
				VALUES ('staging', $1, $2, $3, $4, $5, 'because', $6)`,
				[color, check, status, figure, unit, at(minute)],
			);
		}
		const { healthChecks } = await readDeploymentStatus(catalog.client);
		const newest = { detail: "because", figure: null, unit: null };
		assert.deepEqual(healthChecks, [
			{
				...newest,
				color: "blue",
				check: "performance",
				status: "FAIL",
				figure: 900,
				unit: "ms",
				checkedAt: at(1),
			},
			{ ...newest, color: "green", check: "database_connectivity", status: "PASS", checkedAt: at(1) },
			{
				...newest,
				color: "green",
				check: "performance",
				status: "WARNING",
				figure: 120.5,
				unit: "ms",
				checkedAt: at(2),
			},
			{ ...newest, color: null, check: "database_connectivity", status: "FAIL", checkedAt: at(3) },
		]);
	});
});
