import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QueryResultRow } from "pg";
import { hasOpenDeployment, latestDeployments, openDeployment } from "../../components/catalog/deployments";
import { type RecordedStage, stagesOf } from "../../components/catalog/stages";
import { upgradeCatalog } from "../../components/catalog/upgrade";
import { withClient } from "../../components/database/connection";
import { loadMigrations } from "../../components/migrations/files";
import { migrate } from "../../components/migrations/run";
import type { DeploymentContext } from "../../components/pipeline/context";
import { completeDeployment, inStage } from "../../components/pipeline/deployment";
import { DeploymentLock } from "../../components/pipeline/deployment-lock";
import { plannedStages } from "../../components/pipeline/stage-list";
import { type TestDatabase, testDatabase } from "../support/postgres";
import { until } from "../support/waiting";
import { MIGRATION_SETTINGS } from "./migration-settings";

const session = { applicationName: "test" };

describe("a deployment", () => {
	let target: TestDatabase;
	let catalog: TestDatabase;
	let directory: string;
	let context: DeploymentContext;

	beforeEach(async () => {
		[target, catalog] = [await testDatabase(), await testDatabase()];
		directory = mkdtempSync(join(tmpdir(), "counting-deployment-"));
		await withClient(catalog.owner, session, upgradeCatalog);
		context = {
			environment: "staging",
			release: "1.0.0",
			stages: plannedStages("in-place", []),
			settings: { platform: "local" },
			catalog: catalog.owner,
			target: target.owner,
			pipelineName: "counting_test",
			onFailure: "undo",
			targetName: target.owner.database,
			backupDirectory: join(directory, "backups"),
			migrations: MIGRATION_SETTINGS,
		};
	});

	afterEach(async () => {
		await completeDeployment(context);
		await target.drop();
		await catalog.drop();
		rmSync(directory, { recursive: true, force: true });
	});

	function recorded() {
		return withClient(catalog.owner, session, (client) => latestDeployments(client, "staging", 10));
	}

	function ask<T extends QueryResultRow>(database: TestDatabase, sql: string): Promise<T[]> {
		return withClient(database.owner, session, async (client) => (await client.query<T>(sql)).rows);
	}

	/** Applies a migration that makes the table `cameras`, as one step of the deployment. */
	function migrateStep(): Promise<void> {
		const file =
			"-- type: schema\n\n-- migrate:up\nCREATE TABLE cameras (id int);\n\n-- migrate:down\nDROP TABLE cameras;\n";
		writeFileSync(join(directory, "1.0.0_create_cameras.sql"), file);
		return inStage(context, "Build Database Schema", "migrations", async (deploymentId) => {
			await migrate({
				...context,
				settings: context.migrations,
				wanted: loadMigrations(directory),
				deploymentId,
				appliedBy: "test",
				log: () => {},
			});
		});
	}

	/** The stages of the newest deployment, as `name: status`. */
	async function stages(): Promise<RecordedStage[]> {
		const [latest] = await recorded();
		return withClient(catalog.owner, session, (client) => stagesOf(client, latest!.id));
	}

	const shown = async () => (await stages()).map(({ name, status }) => `${name}: ${status}`);

	it("is one for all steps of an update, and closed as completed", async () => {
		const first = await inStage(context, "Health Checks", "one", async (id) => id);
		assert.equal(await inStage(context, "Health Checks", "two", async (id) => id), first);
		await completeDeployment(context);
		const [row, ...others] = await recorded();
		assert.deepEqual([row?.id, row?.status, row?.release, others], [first, "completed", "1.0.0", []]);
		assert.notEqual(await inStage(context, "Health Checks", "next update", async (id) => id), first);
	});

	it("undoes what it applied when a later step fails, and says so", async () => {
		await migrateStep();
		await assert.rejects(
			inStage(context, "Deploy to Environment", "service 1.0.0", async () => {
				throw new Error("it does not start");
			}),
			/^Error: service 1\.0\.0: it does not start\nautomatic rollback: undid 1\.0\.0, which this update had applied$/,
		);
		assert.deepEqual(await ask(target, "SELECT to_regclass('cameras') AS gone"), [{ gone: null }]);
		assert.equal((await recorded())[0]?.status, "rolled_back");
		assert.deepEqual(
			await ask(catalog, "SELECT rollback_type, rollback_status, rollback_reason FROM deployment_rollbacks"),
			[
				{
					rollback_type: "automatic",
					rollback_status: "completed",
					rollback_reason: "service 1.0.0: it does not start",
				},
			],
		);
	});

	it("leaves alone what an earlier update applied", async () => {
		await migrateStep();
		await completeDeployment(context);
		await assert.rejects(
			inStage(context, "Deploy to Environment", "service 1.0.0", async () => {
				throw new Error("it does not start");
			}),
			/^Error: service 1\.0\.0: it does not start$/,
		);
		assert.equal((await ask(target, "SELECT 1 FROM pg_class WHERE relname = 'cameras'")).length, 1);
		assert.deepEqual(
			(await recorded()).map(({ status }) => status),
			["failed", "completed"],
		);
	});

	it("has its stages on record while they go on, and skips those that had nothing to do", async () => {
		await inStage(context, "Build Database Schema", "migrations", async (_id, log) => {
			log("one");
			assert.deepEqual(await shown(), [
				"Build Database Schema: running",
				"Run Unit Tests: pending",
				"Deploy to Environment: pending",
				"Health Checks: pending",
				"Integration Tests: pending",
			]);
		});
		await inStage(context, "Health Checks", "health", async () => {});
		await completeDeployment(context);
		assert.deepEqual(await shown(), [
			"Build Database Schema: completed",
			"Run Unit Tests: skipped",
			"Deploy to Environment: skipped",
			"Health Checks: completed",
			"Integration Tests: skipped",
		]);
		assert.equal((await stages())[0]?.output, "one");
	});

	it("keeps a stage running until the last of its steps is done", async () => {
		let release = () => {};
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const slow = inStage(context, "Deploy to Environment", "slow", () => held);
		await inStage(context, "Deploy to Environment", "quick", async () => {});
		assert.ok((await shown()).includes("Deploy to Environment: running"));
		release();
		await slow;
		assert.ok((await shown()).includes("Deploy to Environment: completed"));
	});

	it("writes down what a long stage says while it goes on", async () => {
		await inStage(context, "Health Checks", "health", async (_id, log) => {
			log("still waiting");
			await until(
				"the output is on record",
				async () => (await stages()).some(({ output }) => output === "still waiting") || undefined,
			);
			log("done");
		});
		assert.equal((await stages())[3]?.output, "still waiting\ndone");
	});

	it("records a failed stage with its error, the later ones as skipped, and the rollback as a stage", async () => {
		await migrateStep();
		const failing = inStage(context, "Deploy to Environment", "service 1.0.0", async (_id, log) => {
			log("starting");
			throw new Error("it does not start\nno driver");
		});
		await assert.rejects(failing);
		assert.deepEqual(await shown(), [
			"Build Database Schema: completed",
			"Run Unit Tests: skipped",
			"Deploy to Environment: failed",
			"Health Checks: skipped",
			"Integration Tests: skipped",
			"Rollback: completed",
		]);
		const found = await stages();
		assert.deepEqual([found[2]?.error, found[2]?.output], ["it does not start\nno driver", "starting"]);
		assert.match(found[5]?.output ?? "", /^undo 1\.0\.0 create_cameras: completed in \d+ ms$/);
		assert.equal((await recorded())[0]?.error, "service 1.0.0: it does not start");
	});

	it("knows with what it was started, and nothing secret of that", async () => {
		await inStage(context, "Health Checks", "health", async () => {});
		const [row] = await recorded();
		assert.equal(row?.config.platform, "local");
		assert.ok(!JSON.stringify(row).includes(target.owner.password));
	});

	it("closes what an interrupted update left open", async () => {
		const { release, environment } = context;
		await withClient(catalog.owner, session, (client) =>
			openDeployment(client, {
				pipelineName: "killed",
				release,
				environment,
				triggeredBy: "test",
				config: {},
			}),
		);
		const isOpen = () =>
			withClient(catalog.owner, session, (client) => hasOpenDeployment(client, environment));
		assert.equal(await isOpen(), true);
		await inStage(context, "Health Checks", "next", async () => {});
		const rows = await recorded();
		assert.deepEqual(
			rows.map(({ status, error }) => [status, error]),
			[
				["running", undefined],
				["failed", "interrupted"],
			],
		);
		await completeDeployment(context);
		assert.equal(await isOpen(), false);
	});

	it("can be tried again when the catalog could not be reached", async () => {
		const away = { ...context, catalog: { ...context.catalog, port: 1 } };
		await assert.rejects(
			inStage(away, "Health Checks", "one", async () => {}),
			/cannot connect/,
		);
		await inStage(context, "Health Checks", "one", async () => {});
		assert.equal((await recorded())[0]?.status, "running");
	});

	it("waits for another one only so long, names who holds it, and leaves its record alone", async () => {
		const other = await DeploymentLock.take(catalog.owner, 1000);
		const { release, environment } = context;
		await withClient(catalog.owner, session, (client) =>
			openDeployment(client, {
				pipelineName: "other",
				release,
				environment,
				triggeredBy: "test",
				config: {},
			}),
		);
		const [holder] = await ask<{ pid: number; since: Date }>(
			catalog,
			"SELECT pid, backend_start AS since FROM pg_stat_activity WHERE application_name LIKE 'deployment by %' AND datname = current_database()",
		);
		const hurried = { ...context, migrations: { ...context.migrations, advisoryLockTimeoutMs: 200 } };
		const step = () => inStage(hurried, "Health Checks", "one", async () => {});
		await assert.rejects(step, (error: Error) => {
			assert.match(
				error.message,
				/^another update works on this stack: its lock on test_\w+ was not free within 200 ms; it is held by process \d+ \(deployment by .+, role test_\w+\), connected since .+Z\. Wait for its end, or end it/,
			);
			assert.ok(error.message.includes(`process ${holder?.pid} (`));
			assert.ok(error.message.includes(`since ${holder?.since.toISOString()}.`));
			return true;
		});
		assert.deepEqual(
			(await recorded()).map(({ status }) => status),
			["running"],
		);

		// Its process dies, and so does its session.
		await ask(catalog, `SELECT pg_terminate_backend(${holder?.pid})`);
		await step();
		await other.release();
		assert.deepEqual(
			(await recorded()).map(({ status, error }) => [status, error]),
			[
				["running", undefined],
				["failed", "interrupted"],
			],
		);
	});

	it("goes on when its lock was lost with its connection, unless another one has taken it meanwhile", async () => {
		const end = () =>
			ask(
				catalog,
				`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
				WHERE application_name LIKE 'deployment by %' AND datname = current_database()`,
			);
		const hurried = { ...context, migrations: { ...context.migrations, advisoryLockTimeoutMs: 200 } };
		const step = () => inStage(hurried, "Health Checks", "one", async (id) => id);
		const id = await step();
		await end();
		assert.equal(await step(), id);
		await end();
		const other = await DeploymentLock.take(catalog.owner, 1000);
		await assert.rejects(step, /another update works on this stack/);
		await other.release();
	});
});
