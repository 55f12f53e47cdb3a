import assert from "node:assert/strict";
import { openDeployment } from "../../components/catalog/deployments";
import { plannedStages } from "../../components/pipeline/stage-list";
import { TestCatalog } from "../monitoring/catalog";
import { contradictions } from "../support/recorded-stages";
import { BUILD, FAILED, FIRST, FIRST_RELEASE, NEW_RELEASE, useDevelopment } from "./development";
import { stagesOf } from "./stage-record";

const FIVE = [
	["Build Database Schema", "build"],
	["Run Unit Tests", "test"],
	["Deploy to Environment", "deploy"],
	["Health Checks", "validate"],
	["Integration Tests", "test"],
];

describe("the deployment pipeline", () => {
	const development = useDevelopment();

	it("has the five stages in their order, with their types", async () => {
		assert.deepEqual(
			plannedStages("in-place", []).map(({ name, type }) => [name, type]),
			FIVE,
		);
		const names = FIVE.map(([name]) => name);
		const recorded = await stagesOf(development().project, FIRST);
		assert.deepEqual(
			recorded.filter(({ name }) => names.includes(name)).map(({ name, type }) => [name, type]),
			FIVE,
		);
	});

	it("numbers its stages from 1 and runs them one after the other", async () => {
		const rows = await development().project.catalog<{ place: number; early: boolean | null }>(
			`SELECT stage_order AS place, started_at < lag(completed_at) OVER (ORDER BY stage_order) AS early
			FROM deployment_stages WHERE pipeline_id = ${FIRST} ORDER BY stage_order`,
		);
		assert.deepEqual(
			rows.map(({ place }) => place),
			rows.map((_, index) => index + 1),
		);
		assert.deepEqual(
			rows.filter(({ early }) => early),
			[],
		);
	});

	it("records name, release, environment, status, commit, branch, who triggered it and its settings", async () => {
		assert.deepEqual(
			await development().project.catalog(
				`SELECT pipeline_name, pipeline_version, environment, status, git_commit_hash, git_branch, triggered_by,
					started_at < completed_at AS took_time, deployment_config ->> 'strategy' AS strategy
				FROM deployment_pipelines WHERE id = ${FIRST}`,
			),
			[
				{
					pipeline_name: "counting_dev",
					pipeline_version: FIRST_RELEASE,
					environment: "development",
					status: "completed",
					git_commit_hash: BUILD.GITHUB_SHA,
					git_branch: BUILD.GITHUB_REF_NAME,
					triggered_by: BUILD.GITHUB_ACTOR,
					took_time: true,
					strategy: "in-place",
				},
			],
		);
	});

	it("records of each stage its configuration, its times, its output and its status", async () => {
		const [stage] = await development().project.catalog<Record<string, unknown>>(
			`SELECT status, stage_config -> 'command' ->> 3 AS program, stage_output LIKE 'ok 1 - %' AS output,
				error_message AS error, duration_ms = round(extract(epoch FROM completed_at - started_at) * 1000) AS timed
			FROM deployment_stages WHERE pipeline_id = ${FIRST} AND stage_name = 'Run Unit Tests'`,
		);
		assert.deepEqual(stage, {
			status: "completed",
			program: "stages/database-tests.ts",
			output: true,
			error: null,
			timed: true,
		});
	});

	it("is completed when every stage is", () => {
		assert.ok(development().first.stages.every((stage) => stage.endsWith(": completed")));
	});

	it("fails with the first stage that fails, and skips those after it", async () => {
		const { project, failed } = development();
		assert.deepEqual(failed.stages.slice(-3), [
			"Smoke Tests: failed",
			"Later Tests: skipped",
			"Rollback: completed",
		]);
		const [pipeline] = await project.catalog<{ error: string }>(
			`SELECT error_message AS error FROM deployment_pipelines WHERE id = ${FAILED}`,
		);
		assert.match(pipeline?.error ?? "", /^stage "Smoke Tests": it ended with exit code 3/);
		const stage = (await stagesOf(project, FAILED)).find(({ status }) => status === "failed");
		assert.match(stage?.error ?? "", /^it ended with exit code 3/);
	});

	it("triggers the rollback when a stage fails, as a stage of its own, and is then rolled back", async () => {
		const { project } = development();
		const stages = await stagesOf(project, FAILED);
		const last = stages.at(-1);
		assert.deepEqual([last?.name, last?.type, last?.status], ["Rollback", "rollback", "completed"]);
		assert.deepEqual(
			await project.catalog(`SELECT pipeline_version, status FROM deployment_pipelines WHERE id = ${FAILED}`),
			[{ pipeline_version: NEW_RELEASE, status: "rolled_back" }],
		);
	});

	it("keeps the record of a failure, whatever is rolled back with it", async () => {
		const { project, failed } = development();
		assert.deepEqual(failed.applied.at(-1), FIRST_RELEASE);
		const kept = await project.catalog(
			`SELECT migration_version AS version, status FROM deployment_migrations AS migration
			JOIN deployment_execution_logs AS log ON migration_id = migration.id
			WHERE deployment_id = ${FAILED} AND execution_step = 'rollback_complete' ORDER BY log.id`,
		);
		assert.deepEqual(
			kept.map(({ version }) => version),
			["1.5.1", "1.5.0"],
		);
		assert.deepEqual(await contradictions(project), []);
	});

	it("refuses a status, a stage type and an environment that there are not", async () => {
		const catalog = await TestCatalog.make();
		try {
			const id = await openDeployment(
				catalog.client,
				{
					pipelineName: "counting",
					release: "1.0.0",
					environment: "production",
					triggeredBy: "minh",
					config: {},
				},
				plannedStages("blue-green", []),
			);
			for (const statement of [
				`UPDATE deployment_pipelines SET status = 'done' WHERE id = ${id}`,
				`UPDATE deployment_pipelines SET environment = 'blue' WHERE id = ${id}`,
				`UPDATE deployment_stages SET stage_type = 'other' WHERE pipeline_id = ${id}`,
				`UPDATE deployment_stages SET status = 'rolled_back' WHERE pipeline_id = ${id}`,
			]) {
				await assert.rejects(catalog.client.query(statement), { code: "23514" }, statement);
			}
		} finally {
			await catalog.drop();
		}
	});
});
