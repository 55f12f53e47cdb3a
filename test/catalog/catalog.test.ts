import assert from "node:assert/strict";
import type { Client } from "pg";
import {
	closeAbandoned,
	closeDeployment,
	hasOpenDeployment,
	latestDeployments,
	type NewDeployment,
	openDeployment,
} from "../../components/catalog/deployments";
import { type EnvironmentMirror, mirrorEnvironment } from "../../components/catalog/environments";
import { finishRollback, startRollback } from "../../components/catalog/rollbacks";
import {
	addStageOutput,
	completeStage,
	failStage,
	type NewStage,
	OUTPUT_LENGTH,
	stagesOf,
	startStage,
} from "../../components/catalog/stages";
import { newestCatalogVersion, upgradeCatalog } from "../../components/catalog/upgrade";
import { connect } from "../../components/database/connection";
import { type TestDatabase, testDatabase } from "../support/postgres";

const deployment: NewDeployment = {
	pipelineName: "counting",
	release: "1.2.0",
	environment: "staging",
	triggeredBy: "tester",
	gitCommit: "abc",
	gitBranch: "main",
	config: { strategy: "in-place" },
};

const mirror: EnvironmentMirror = {
	name: "staging",
	type: "staging",
	databaseHost: "127.0.0.1",
	databasePort: 5432,
	databaseName: "counting",
	databaseUser: "counting_app",
	poolSize: 10,
	maxConnections: 50,
	backupSchedule: "daily",
	monitoring: true,
	alerting: true,
	config: { logLevel: "info", debugMode: false },
};

describe("the catalog", () => {
	let database: TestDatabase;
	let client: Client;

	beforeEach(async () => {
		database = await testDatabase();
		client = await connect(database.owner, { applicationName: "catalog-test" });
	});

	afterEach(async () => {
		await client.end();
		await database.drop();
	});

	const rowsOf = async (sql: string) => (await client.query(sql)).rows;

	describe("'s schema", () => {
		it("is made once, however many upgrades there are at once", async () => {
			const other = await connect(database.owner, { applicationName: "catalog-test" });
			try {
				const newest = newestCatalogVersion();
				const upgrades = await Promise.all([upgradeCatalog(client), upgradeCatalog(other)]);
				assert(upgrades.every(({ to }) => to === newest));
				assert.deepEqual(await upgradeCatalog(client), { from: newest, to: newest });
			} finally {
				await other.end();
			}
			const made = await rowsOf("SELECT version FROM catalog_versions ORDER BY version");
			assert.deepEqual(
				made.map(({ version }) => version),
				Array.from({ length: newestCatalogVersion() }, (_, index) => index + 1),
			);
		});

		it("is refused when it is newer than the code", async () => {
			await upgradeCatalog(client);
			await client.query("INSERT INTO catalog_versions (version, name) VALUES (99, 'of the future')");
			await assert.rejects(
				upgradeCatalog(client),
				new RegExp(
					`the catalog has schema version 99, this code knows versions up to ${newestCatalogVersion()}:`,
				),
			);
		});

		it("has no column for a password or a database URL, no timestamp without zone, no 32-bit key", async () => {
			await upgradeCatalog(client);
			const columns = `SELECT table_name || '.' || column_name AS found FROM information_schema.columns
				WHERE table_schema = 'public'`;
			assert.deepEqual(await rowsOf(`${columns} AND column_name ~ 'password|secret|_url'`), []);
			assert.deepEqual(await rowsOf(`${columns} AND data_type = 'timestamp without time zone'`), []);
			assert.deepEqual(await rowsOf(`${columns} AND column_name ~ '(^|_)id$' AND data_type <> 'bigint'`), []);
		});

		const refused: Record<string, string> = {
			"a status of a deployment": "UPDATE deployment_pipelines SET status = 'done'",
			"an environment": "UPDATE deployment_pipelines SET environment = 'dev'",
			"a final deployment without its end": "UPDATE deployment_pipelines SET status = 'completed'",
			"a configuration that is no object": "UPDATE deployment_pipelines SET deployment_config = '[]'",
			"a type of a stage":
				"INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type) SELECT id, 's', 1, 'wait' FROM deployment_pipelines",
			"a status of a stage":
				"INSERT INTO deployment_stages (pipeline_id, stage_name, stage_order, stage_type, status) SELECT id, 's', 1, 'test', 'done' FROM deployment_pipelines",
			"a color":
				"INSERT INTO blue_green_deployments (deployment_name, environment, current_active) VALUES ('d', 'staging', 'red')",
			"a status of blue/green":
				"INSERT INTO blue_green_deployments (deployment_name, environment, deployment_status) VALUES ('d', 'staging', 'done')",
			"a type of a rollback":
				"INSERT INTO deployment_rollbacks (pipeline_id, rollback_reason, rollback_type) SELECT id, 'r', 'other' FROM deployment_pipelines",
			"a status of a rollback":
				"INSERT INTO deployment_rollbacks (pipeline_id, rollback_reason, rollback_type, rollback_status) SELECT id, 'r', 'manual', 'done' FROM deployment_pipelines",
			"a type of a migration":
				"INSERT INTO deployment_migrations (target_database, migration_name, migration_version, migration_type, migration_sql, checksum) VALUES ('t', 'm', '1.0.0', 'table', '', repeat('0', 64))",
			"a status of a migration":
				"INSERT INTO deployment_migrations (target_database, migration_name, migration_version, migration_type, migration_sql, checksum, status) VALUES ('t', 'm', '1.0.0', 'data', '', repeat('0', 64), 'done')",
			"a status of a step":
				"INSERT INTO deployment_execution_logs (deployment_id, execution_step, step_status) SELECT id, 's', 'done' FROM deployment_pipelines",
			"a step of no deployment":
				"INSERT INTO deployment_execution_logs (deployment_id, execution_step, step_status) VALUES (99, 's', 'started')",
		};
		for (const [what, sql] of Object.entries(refused)) {
			it(`refuses ${what} that the system does not know`, async () => {
				await upgradeCatalog(client);
				await openDeployment(client, deployment);
				await assert.rejects(client.query(sql), { code: what.includes("of no ") ? "23503" : "23514" });
			});
		}
	});

	describe("'s deployments", () => {
		beforeEach(() => upgradeCatalog(client));

		it("are opened as running and closed with their outcome", async () => {
			const first = await openDeployment(client, deployment);
			await closeDeployment(client, first, { status: "completed" });
			const second = await openDeployment(client, { ...deployment, release: "1.3.0" });
			const [open, closed, ...others] = await latestDeployments(client, "staging", 10);
			assert.deepEqual(others, []);
			assert(open?.startedAt && closed?.startedAt && closed.completedAt);
			assert.deepEqual(open, {
				...deployment,
				release: "1.3.0",
				id: second,
				status: "running",
				startedAt: open.startedAt,
				completedAt: undefined,
				error: undefined,
			});
			assert(closed.completedAt >= closed.startedAt);
			assert.equal(closed.status, "completed");
			assert.deepEqual(
				(await latestDeployments(client, "staging", 1)).map(({ id }) => id),
				[second],
			);
			assert.deepEqual(await latestDeployments(client, "production", 10), []);
		});

		it("are closed once; the same again changes nothing, another outcome is refused", async () => {
			const id = await openDeployment(client, deployment);
			await closeDeployment(client, id, { status: "failed", error: "because" });
			await closeDeployment(client, id, { status: "failed", error: "again" });
			await assert.rejects(closeDeployment(client, id, { status: "completed" }), /it is failed already/);
			await assert.rejects(
				closeDeployment(client, id + 1, { status: "completed" }),
				/the catalog does not have it/,
			);
			assert.equal((await latestDeployments(client, "staging", 1))[0]?.error, "because");
		});

		it("whose owner is gone are closed as interrupted, with what was under way in them", async () => {
			const done = await openDeployment(client, deployment);
			await closeDeployment(client, done, { status: "completed" });
			const elsewhere = await openDeployment(client, { ...deployment, environment: "production" });
			const abandoned = await openDeployment(client, deployment);
			await startRollback(client, { deploymentId: abandoned, type: "automatic", reason: "test" });
			assert.deepEqual(await closeAbandoned(client, "staging"), [
				{ id: abandoned, release: "1.2.0", stage: "Rollback" },
			]);
			assert.deepEqual(await closeAbandoned(client, "staging"), []);
			const [latest] = await latestDeployments(client, "staging", 1);
			assert.deepEqual([latest?.id, latest?.status, latest?.error], [abandoned, "failed", "interrupted"]);
			assert.equal((await latestDeployments(client, "production", 1))[0]?.id, elsewhere);
			assert.deepEqual(await rowsOf("SELECT rollback_status, error_message FROM deployment_rollbacks"), [
				{ rollback_status: "failed", error_message: "interrupted" },
			]);
		});

		it("keep their rollbacks, with versions, steps and outcome", async () => {
			const deploymentId = await openDeployment(client, deployment);
			const id = await startRollback(client, {
				deploymentId,
				type: "health_check_failure",
				reason: "not ready",
				previousVersion: "1.3.0",
				targetVersion: "1.2.0",
			});
			const steps = [
				{ step: "undo 1.3.0 x", status: "completed" as const, backups: ["a.sql"], durationMs: 3 },
			];
			await finishRollback(client, id, { steps });
			await assert.rejects(finishRollback(client, id, { steps }), /the catalog has no such running one/);
			const failed = await startRollback(client, { deploymentId, type: "manual", reason: "wish" });
			await finishRollback(client, failed, { steps: [], error: "no" });
			const columns =
				"rollback_type, previous_version, target_version, rollback_status, rollback_steps, error_message";
			assert.deepEqual(await rowsOf(`SELECT ${columns} FROM deployment_rollbacks ORDER BY id`), [
				{
					rollback_type: "health_check_failure",
					previous_version: "1.3.0",
					target_version: "1.2.0",
					rollback_status: "completed",
					rollback_steps: steps,
					error_message: null,
				},
				{
					rollback_type: "manual",
					previous_version: null,
					target_version: null,
					rollback_status: "failed",
					rollback_steps: [],
					error_message: "no",
				},
			]);
		});
	});

	describe("'s stages", () => {
		const planned: NewStage[] = [
			{ name: "Build", type: "build", config: {} },
			{ name: "Test", type: "test", config: { command: ["true"] } },
			{ name: "Deploy", type: "deploy", config: {} },
		];
		beforeEach(() => upgradeCatalog(client));

		const statuses = async (id: number) =>
			(await stagesOf(client, id)).map(({ name, status }) => `${name}: ${status}`);

		it("are pending in their order when their deployment opens, and skipped when it had nothing to do for them", async () => {
			const id = await openDeployment(client, deployment, planned);
			assert.deepEqual(
				await stagesOf(client, id),
				planned.map((stage) => ({ ...stage, status: "pending" })),
			);
			await startStage(client, id, { name: "Build", type: "build" });
			assert.deepEqual(await statuses(id), ["Build: running", "Test: pending", "Deploy: pending"]);
			await completeStage(client, id, "Build", "built");
			await closeDeployment(client, id, { status: "completed" });
			assert.deepEqual(await statuses(id), ["Build: completed", "Test: skipped", "Deploy: skipped"]);
			const [build, test] = await stagesOf(client, id);
			assert(build?.startedAt && build.completedAt && build.durationMs !== undefined);
			assert.equal(build.durationMs, Math.round(await milliseconds(id, "Build")));
			assert.equal(build.output, "built");
			assert.deepEqual(
				[test?.startedAt, test?.completedAt, test?.durationMs],
				[undefined, undefined, undefined],
			);
		});

		it("begin with the first of their steps and end with the last, and one that was not foreseen comes last", async () => {
			const id = await openDeployment(client, deployment, planned);
			await startStage(client, id, { name: "Build", type: "build" });
			await completeStage(client, id, "Build", "one");
			const [first] = await stagesOf(client, id);
			await startStage(client, id, { name: "Build", type: "build" });
			await completeStage(client, id, "Build", "two");
			await startStage(client, id, { name: "Check", type: "validate" });
			const [second] = await stagesOf(client, id);
			assert.deepEqual([second?.startedAt, second?.output], [first?.startedAt, "one\ntwo"]);
			assert(second!.completedAt! >= first!.completedAt!);
			assert.deepEqual(await statuses(id), [
				"Build: completed",
				"Test: pending",
				"Deploy: pending",
				"Check: running",
			]);
		});

		it("keep the end of what they say", async () => {
			const id = await openDeployment(client, deployment, planned);
			await startStage(client, id, { name: "Test", type: "test" });
			await addStageOutput(client, id, "Test", "first");
			for (const letter of ["a", "b", "c"]) {
				await addStageOutput(client, id, "Test", letter.repeat(OUTPUT_LENGTH / 2));
			}
			const output = (await stagesOf(client, id))[1]?.output;
			assert.equal(output?.length, OUTPUT_LENGTH);
			assert.match(output ?? "", /^b+\nc+$/);
		});

		it("fail with their deployment and leave out those to come, in one step", async () => {
			const id = await openDeployment(client, deployment, planned);
			await startStage(client, id, { name: "Build", type: "build" });
			await completeStage(client, id, "Build", "");
			await startStage(client, id, { name: "Test", type: "test" });
			await failStage(client, id, { name: "Test", error: "two of\nthree", output: "said" }, "two of");
			assert.deepEqual(await statuses(id), ["Build: completed", "Test: failed", "Deploy: skipped"]);
			const test = (await stagesOf(client, id))[1];
			assert.deepEqual([test?.error, test?.output], ["two of\nthree", "said"]);
			const [latest] = await latestDeployments(client, "staging", 1);
			assert.deepEqual([latest?.status, latest?.error], ["failed", "two of"]);
			await closeDeployment(client, id, { status: "rolled_back" });
			const [back] = await latestDeployments(client, "staging", 1);
			assert.deepEqual([back?.status, back?.error], ["rolled_back", "two of"]);
		});

		it("have a rollback as their last, with its steps and its outcome", async () => {
			const id = await openDeployment(client, deployment, planned);
			const rollback = await startRollback(client, {
				deploymentId: id,
				type: "automatic",
				reason: "because",
			});
			assert.equal((await statuses(id)).at(-1), "Rollback: running");
			await finishRollback(client, rollback, {
				steps: [{ step: "undo 1.3.0 x", status: "completed", backups: ["a.sql"], durationMs: 3 }],
			});
			const last = (await stagesOf(client, id)).at(-1);
			assert.deepEqual(
				[last?.type, last?.status, last?.output],
				["rollback", "completed", "undo 1.3.0 x: completed in 3 ms\n  rows saved in a.sql"],
			);
			const failing = await startRollback(client, { deploymentId: id, type: "automatic", reason: "again" });
			await finishRollback(client, failing, { steps: [], error: "the database is away" });
			assert.deepEqual(
				[(await statuses(id)).at(-1), (await stagesOf(client, id)).at(-1)?.error],
				["Rollback: failed", "the database is away"],
			);
		});

		it("of a deployment whose owner is gone have failed where they were under way, and are skipped where not", async () => {
			const id = await openDeployment(client, deployment, planned);
			await startStage(client, id, { name: "Build", type: "build" });
			await completeStage(client, id, "Build", "");
			await startStage(client, id, { name: "Test", type: "test" });
			assert.deepEqual(await closeAbandoned(client, "staging"), [{ id, release: "1.2.0", stage: "Test" }]);
			assert.deepEqual(await statuses(id), ["Build: completed", "Test: failed", "Deploy: skipped"]);
			const test = (await stagesOf(client, id))[1];
			assert.equal(test?.error, "interrupted");
			assert(test?.completedAt && test.durationMs !== undefined);
		});

		it("and of a rollback whose owner is gone keep the environment open, also when the deployment is closed", async () => {
			assert.equal(await hasOpenDeployment(client, "staging"), false);
			const id = await openDeployment(client, deployment, planned);
			assert.equal(await hasOpenDeployment(client, "staging"), true);
			await closeDeployment(client, id, { status: "failed", error: "because" });
			assert.equal(await hasOpenDeployment(client, "staging"), false);
			await startRollback(client, { deploymentId: id, type: "automatic", reason: "because" });
			assert.equal(await hasOpenDeployment(client, "staging"), true);
			assert.equal(await hasOpenDeployment(client, "production"), false);
			await closeAbandoned(client, "staging");
			assert.equal(await hasOpenDeployment(client, "staging"), false);
			assert.equal((await statuses(id)).at(-1), "Rollback: failed");
		});

		async function milliseconds(id: number, name: string): Promise<number> {
			const [row] = await rowsOf(
				`SELECT (extract(epoch FROM completed_at - started_at) * 1000)::float8 AS ms FROM deployment_stages
				WHERE pipeline_id = ${id} AND stage_name = '${name}'`,
			);
			return row.ms;
		}
	});

	describe("'s environments", () => {
		beforeEach(() => upgradeCatalog(client));

		it("mirror the settings in one active row, written only when they change", async () => {
			assert.equal(await mirrorEnvironment(client, mirror), true);
			const columns = `environment_name, environment_type, database_host, database_port, database_name, database_user,
				connection_pool_size, max_connections, backup_schedule, monitoring_enabled, alerting_enabled, config_data`;
			const [first] = await rowsOf(`SELECT ${columns} FROM environment_configs`);
			assert.deepEqual(Object.values(first), Object.values(mirror));
			const [before] = await rowsOf("SELECT xmin, updated_at FROM environment_configs");
			assert.equal(await mirrorEnvironment(client, mirror), false);
			assert.deepEqual(await rowsOf("SELECT xmin, updated_at FROM environment_configs"), [before]);
			assert.equal(
				await mirrorEnvironment(client, { ...mirror, poolSize: 11, config: { logLevel: "warn" } }),
				true,
			);
			const [after, ...others] = await rowsOf(
				"SELECT connection_pool_size, config_data, updated_at > created_at AS touched FROM environment_configs",
			);
			assert.deepEqual(others, []);
			assert.deepEqual(after, { connection_pool_size: 11, config_data: { logLevel: "warn" }, touched: true });
		});
	});
});
