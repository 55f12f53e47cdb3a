import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { BASE_VERSIONS, DeployedProject, kill } from "../support/deployed-project";
import { assertClearFailure } from "../support/outcome";
import { finished } from "../support/project";
import {
	contradictions,
	declareStages,
	lastStages,
	ownStage,
	QUICK_STAGES,
} from "../support/recorded-stages";
import { until } from "../support/waiting";

describe("the stages of an in-place deployment", () => {
	let project: DeployedProject;

	before(async () => {
		project = new DeployedProject("embedded");
		await project.init();
		declareStages(project, QUICK_STAGES);
		await project.mustUp();
	});

	after(() => project.discard());

	it("run, and are all on record", async () => {
		assert.deepEqual(await lastStages(project), [
			"Build Database Schema: completed",
			"Run Unit Tests: completed",
			"Deploy to Environment: completed",
			"Health Checks: completed",
			"Integration Tests: completed",
		]);
		const [tests] = await project.catalog<{ output: string; config: unknown }>(
			"SELECT stage_output AS output, stage_config AS config FROM deployment_stages WHERE stage_name = 'Run Unit Tests'",
		);
		assert.match(tests?.output ?? "", /^ok 1 - .*\n1\.\.\d+$/s);
		assert.deepEqual(tests?.config, { command: QUICK_STAGES[0]?.command, timeoutSeconds: 60 });
		const [deployment] = await project.catalog<{ config: Record<string, unknown> }>(
			"SELECT deployment_config AS config FROM deployment_pipelines",
		);
		const { databasePassword } = await project.outputs();
		assert.equal(deployment?.config.strategy, "in-place");
		assert.ok(
			!JSON.stringify(await project.catalog("SELECT * FROM deployment_stages")).includes(databasePassword),
		);
		assert.deepEqual(await project.database("SELECT FROM cameras"), []);
		await project.assertStanding("1.3.0", BASE_VERSIONS);
	});

	it("that fail after the traffic has moved send it back, undo the release and are named", async () => {
		project.addTable("1.4.0", "zones");
		project.configure({ release: "1.4.0" });
		declareStages(project, [
			...QUICK_STAGES,
			ownStage("Smoke", 'console.log("a smoke test"); process.exit(3)'),
		]);

		const failed = await project.up();

		assertClearFailure(failed);
		assert.match(
			failed.output,
			/stage "Smoke": it ended with exit code 3: mend what it found, and run the update again/,
		);
		assert.match(failed.output, /a smoke test/);
		assert.match(failed.output, /the traffic is back on 1\.3\.0-\w+/);
		assert.match(failed.output, /automatic rollback: undid 1\.4\.0, which this update had applied/);
		assert.equal(await liveRelease(), "1.3.0");
		assert.deepEqual(await project.appliedInTarget(), BASE_VERSIONS);
		assert.deepEqual(await lastStages(project), [
			"Build Database Schema: completed",
			"Run Unit Tests: completed",
			"Deploy to Environment: completed",
			"Health Checks: completed",
			"Integration Tests: completed",
			"Smoke: failed",
			"Rollback: completed",
		]);
		assert.deepEqual(
			await project.catalog(
				`SELECT rollback_type AS type, previous_version AS previous, target_version AS target, rollback_status AS status,
					jsonb_array_length(rollback_steps) AS steps
				FROM deployment_rollbacks WHERE pipeline_id = (SELECT max(id) FROM deployment_pipelines) ORDER BY id`,
			),
			[
				{ type: "automatic", previous: "1.4.0", target: "1.3.0", status: "completed", steps: 1 },
				{ type: "automatic", previous: "1.4.0", target: "1.3.0", status: "completed", steps: 1 },
			],
		);
		assert.deepEqual(await contradictions(project), []);
	});

	it("end with an update that is killed, which the next one puts on record and brings to its end", async () => {
		const marker = project.path("smoke-runs");
		declareStages(project, [
			ownStage(
				"Smoke",
				`require("node:fs").writeFileSync(${JSON.stringify(marker)}, ""); setInterval(() => {}, 1000)`,
			),
		]);
		const child = project.start(["up", "--yes", "--skip-preview", "-s", "dev"]);
		const ended = finished(child);
		await until("the stage runs", () => existsSync(marker) || undefined);
		for (const pid of project.running().update) {
			kill(pid);
		}
		await ended;
		await until("the stage is gone", () => project.running().other.length === 0 || undefined);

		declareStages(project, QUICK_STAGES);
		const next = await project.up();
		assert.equal(next.code, 0, next.output);
		assert.match(
			next.output,
			/deployment \d+ of release 1\.4\.0 did not come to its end: it is on record as failed, interrupted in "Smoke"/,
		);
		const [abandoned] = await project.catalog(
			`SELECT pipeline.status, stage.error_message AS error FROM deployment_pipelines AS pipeline
			JOIN deployment_stages AS stage ON pipeline_id = pipeline.id AND stage_name = 'Smoke'
			WHERE pipeline.error_message = 'interrupted'`,
		);
		assert.deepEqual(abandoned, { status: "failed", error: "interrupted" });
		assert.deepEqual(await contradictions(project), []);
		await project.assertStanding("1.4.0", [...BASE_VERSIONS, "1.4.0"]);
	});

	async function liveRelease(): Promise<string> {
		const reply = await fetch(`${project.url}/version`, { signal: AbortSignal.timeout(5000) });
		return ((await reply.json()) as { release: string }).release;
	}
});
