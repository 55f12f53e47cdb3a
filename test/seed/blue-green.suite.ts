import assert from "node:assert/strict";
import {
	noteBuilding,
	noteColor,
	noteDropped,
	noteFailed,
	noteLive,
	noteSwitchStarted,
} from "../../components/catalog/blue-green";
import type { Node } from "../../components/replication/node";
import { TestCatalog } from "../monitoring/catalog";
import { query, type TestProject } from "../support/project";
import { containing, everyRow, generatedPasswords } from "../support/secrets";
import { useDevelopment } from "./development";
import { FAILING_RELEASE, liveDatabase, RAISED, REFUSED, useStaging, WITHDRAWN } from "./staging";

describe("the blue-green deployment", () => {
	const staging = useStaging();
	const development = useDevelopment();

	it("deploys to the colour that is not active, and the active one changes with the switch", () => {
		const { first, raised } = staging();
		assert.deepEqual(
			[first, raised].map(({ recorded }) => [recorded.current_active, recorded.deployment_status]),
			[
				["blue", "completed"],
				["green", "completed"],
			],
		);
		assert.deepEqual(raised.standing.colors.blue, first.standing.colors.blue);
	});

	it("records the colours by where their databases are, apart from the environment's name", () => {
		const { raised } = staging();
		const { deployment_name, environment, blue_database_name, green_database_name } = raised.recorded;
		assert.deepEqual(
			{ deployment_name, environment, blue_database_name, green_database_name },
			{
				deployment_name: "counting_staging",
				environment: "staging",
				blue_database_name: "counting_staging_blue_1",
				green_database_name: "counting_staging_green_2",
			},
		);
	});

	it("switches once the checks and tests of the new colour have passed", async () => {
		const [switched] = await staging().project.catalog<{ last: boolean; checked: boolean }>(
			`SELECT stage_order = (SELECT max(stage_order) FROM deployment_stages WHERE pipeline_id = ${RAISED}) AS last,
				started_at >= ALL (SELECT completed_at FROM deployment_stages
					WHERE pipeline_id = ${RAISED} AND stage_type IN ('test', 'validate')) AS checked
			FROM deployment_stages WHERE pipeline_id = ${RAISED} AND stage_name = 'Switch Traffic'`,
		);
		assert.deepEqual(switched, { last: true, checked: true });
	});

	it("records when the switch began and ended", () => {
		const { raised, putBack } = staging();
		const moments = [raised, putBack].flatMap(({ recorded }) => [
			recorded.switch_started_at as Date,
			recorded.switch_completed_at as Date,
		]);
		assert.deepEqual(
			moments.map(Number),
			moments.map(Number).sort((one, other) => one - other),
		);
		assert.equal(new Set(moments.map(Number)).size, 4);
	});

	it("records the results of the health checks of the colour that went live", () => {
		const results = staging().raised.recorded.health_check_results as { check: string; status: string }[];
		assert.deepEqual(
			results.map(({ check }) => check),
			[
				"database_connectivity",
				"api_endpoints",
				"performance",
				"replication_lag",
				"connections",
				"migrations",
			],
		);
		assert.ok(results.every(({ status }) => status === "PASS" || status === "WARNING"));
	});

	it("does not switch to a colour whose health checks fail, and records that the deployment failed", async () => {
		const { project, putBack, refused } = staging();
		assert.notEqual(refused.result.code, 0);
		assert.match(refused.result.output, /api_endpoints: \/cameras\?limit=1 answered 500/);
		assert.deepEqual(refused.standing.live, putBack.standing.live);
		const { current_active, deployment_status, rollback_triggered, switch_completed_at } = refused.recorded;
		assert.deepEqual(
			[current_active, deployment_status, rollback_triggered, switch_completed_at],
			["blue", "failed", false, putBack.recorded.switch_completed_at],
		);
		assert.deepEqual(
			await project.catalog(
				`SELECT stage_name AS name, stage.status, pipeline.status AS deployment
				FROM deployment_stages AS stage JOIN deployment_pipelines AS pipeline ON pipeline.id = pipeline_id
				WHERE pipeline_id = ${REFUSED} AND stage_order >= 4 ORDER BY stage_order`,
			),
			[
				{ name: "Health Checks", status: "failed", deployment: "failed" },
				{ name: "Integration Tests", status: "skipped", deployment: "failed" },
				{ name: "Switch Traffic", status: "skipped", deployment: "failed" },
			],
		);
	});

	it("records a release that fails as failed, that the rollback was triggered, and why", async () => {
		const { project, withdrawn } = staging();
		const { recorded } = withdrawn;
		assert.deepEqual(
			[recorded.current_active, recorded.deployment_status, recorded.rollback_triggered],
			["blue", "failed", true],
		);
		assert.match(JSON.stringify(recorded.health_check_results), /did not stand its bake.*"status":"FAIL"/);
		assert.deepEqual(
			await project.catalog(
				`SELECT pipeline_version, status FROM deployment_pipelines WHERE id = ${WITHDRAWN}`,
			),
			[{ pipeline_version: FAILING_RELEASE, status: "rolled_back" }],
		);
	});

	it("is idle, deploying, switching, completed or failed, and nothing else", async () => {
		const catalog = await TestCatalog.make();
		const { client } = catalog;
		const { host, port } = catalog.database.owner;
		const node = (color: "blue" | "green", generation: number) =>
			({
				base: "counting",
				color,
				generation,
				admin: { ...catalog.database.owner, host, port, database: `counting_${color}_${generation}` },
			}) as Node;
		const seen: string[] = [];
		const note = async (work: Promise<void>) => {
			await work;
			const { rows } = await client.query(
				"SELECT deployment_status || CASE WHEN rollback_triggered THEN ', went back' ELSE '' END AS status FROM blue_green_deployments",
			);
			seen.push(rows[0].status);
		};
		const health = [{ check: "performance", status: "FAIL" }];
		try {
			await note(noteColor(client, "production", node("blue", 1), "1.0.0", "completed"));
			await note(noteBuilding(client, node("green", 2), "1.1.0"));
			await note(noteSwitchStarted(client, node("green", 2)));
			await note(noteLive(client, node("green", 2), { status: "completed", rollback: false, health: [] }));
			await note(noteBuilding(client, node("blue", 3), "1.2.0"));
			await note(noteSwitchStarted(client, node("blue", 3)));
			await note(noteLive(client, node("green", 2), { status: "failed", rollback: true, health }));
			await note(noteBuilding(client, node("blue", 4), "1.3.0"));
			await note(noteFailed(client, "production"));
			await note(noteColor(client, "production", node("blue", 4), "1.3.0", "failed"));
			await note(noteDropped(client, node("blue", 4), node("blue", 1)));
			assert.deepEqual(seen, [
				"completed",
				"deploying",
				"switching",
				"completed",
				"deploying",
				"switching",
				"failed, went back",
				"deploying",
				"failed",
				"failed",
				"idle",
			]);
			await assert.rejects(
				client.query("UPDATE blue_green_deployments SET deployment_status = 'production'"),
				{ code: "23514" },
			);
			await assert.rejects(client.query("UPDATE blue_green_deployments SET current_active = 'staging'"), {
				code: "23514",
			});
		} finally {
			await catalog.drop();
		}
	});

	it("is gone back from without a data restore: what was written after the switch is there", async () => {
		const { project, putBack, written } = staging();
		assert.equal(putBack.standing.live, "blue");
		const connection = await project.superuser(liveDatabase(project, putBack.standing));
		assert.deepEqual(
			await query(
				connection,
				`SELECT camera_name AS name, metadata FROM cameras WHERE id = ${written.cameraId}`,
			),
			[{ name: "made by the new colour", metadata: { lens: 35 } }],
		);
		assert.deepEqual(
			await query(
				connection,
				`SELECT count_value AS counted FROM counting_results WHERE id = ${written.resultId}`,
			),
			[{ counted: 7 }],
		);
		assert.deepEqual(putBack.savedFiles, []);
	});

	it("stores no connection string with a password, nor a password at all, with two colours", () =>
		assertNoPassword(staging().project));

	it("stores no connection string with a password, nor a password at all, in place", () =>
		assertNoPassword(development().project));
});

/** Looks through every table and view of the stack's catalog. */
async function assertNoPassword(project: TestProject): Promise<void> {
	const passwords = await generatedPasswords(project);
	assert.ok(passwords.length > 5, String(passwords.length));
	const rows = await everyRow(project, `counting_${project.stack}_catalog`);
	assert.ok(rows.some((row) => row.includes("add_performance_indexes")));
	assert.deepEqual(containing(rows, passwords), []);
	assert.deepEqual(
		rows.filter((row) => /postgres(ql)?:\/\/[^\s/]*:[^\s/]*@/.test(row)),
		[],
	);
}
