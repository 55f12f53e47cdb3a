import assert from "node:assert/strict";
import { afterRelease, BlueGreenProject } from "../../support/blue-green-project";
import { BASE_VERSIONS } from "../../support/deployed-project";
import { assertClearFailure } from "../../support/outcome";
import {
	contradictions,
	declareStages,
	lastStages,
	ownStage,
	QUICK_STAGES,
} from "../../support/recorded-stages";
import { assertUnharmed, underTraffic } from "../../support/traffic";

const VERSIONS = [...BASE_VERSIONS, "1.4.0"];

const shipped = (name: string, program: string, ...args: string[]) => ({
	name,
	command: ["node", "--require", "tsx/cjs", `stages/${program}.ts`, ...args],
	timeoutSeconds: 120,
});

describe("the stages of a blue-green release", () => {
	let project: BlueGreenProject;

	before(async () => {
		project = new BlueGreenProject("embedded");
		await project.init();
		declareStages(project, [
			...QUICK_STAGES,
			shipped("Load Test", "load", "--seconds=1", "--min-requests=1", "--p99-ms=10000"),
			shipped("Security Scan", "security"),
			shipped("Compliance Check", "compliance"),
		]);
		await project.mustUp();
	});

	after(() => project.discard());

	it("all run before the first colour gets the traffic, and leave nothing on it", async () => {
		assert.deepEqual(await lastStages(project), [
			"Build Database Schema: completed",
			"Run Unit Tests: completed",
			"Deploy to Environment: completed",
			"Health Checks: completed",
			"Integration Tests: completed",
			"Load Test: completed",
			"Security Scan: completed",
			"Compliance Check: completed",
			"Switch Traffic: completed",
		]);
		const before = await project.current();
		assert.deepEqual(
			await project.onColor(
				before,
				before.live,
				`SELECT (SELECT count(*)::int FROM cameras) AS cameras, (SELECT count(*)::int FROM counting_results) AS results,
					(SELECT count(*)::int FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL) AS drawn`,
			),
			[{ cameras: 0, results: 0, drawn: 0 }],
		);
		await project.assertColors(before);
	});

	it("that fail stop the release before it gets the traffic, without a client noticing", async () => {
		const before = await project.current();
		project.addTable("1.4.0", "zones");
		project.configure({ release: "1.4.0" });
		declareStages(project, [
			...QUICK_STAGES,
			ownStage("Smoke", 'console.log("too much smoke"); process.exit(3)'),
		]);

		const traffic = await underTraffic(project, () => project.up());

		assertClearFailure(traffic.result);
		await assertUnharmed(project, traffic);
		assert.match(traffic.result.output, /stage "Smoke": it ended with exit code 3/);
		assert.match(traffic.result.output, /too much smoke/);
		await project.assertUntouched(before);
		assert.deepEqual(await lastStages(project), [
			"Build Database Schema: completed",
			"Run Unit Tests: completed",
			"Deploy to Environment: completed",
			"Health Checks: completed",
			"Integration Tests: completed",
			"Smoke: failed",
			"Switch Traffic: skipped",
		]);
		assert.deepEqual(await contradictions(project), []);

		// What had passed is not tested again.
		declareStages(project, [...QUICK_STAGES, ownStage("Smoke", "0")]);
		await project.mustUp();
		assert.deepEqual(await lastStages(project), [
			"Build Database Schema: skipped",
			"Run Unit Tests: skipped",
			"Deploy to Environment: skipped",
			"Health Checks: skipped",
			"Integration Tests: skipped",
			"Smoke: completed",
			"Switch Traffic: completed",
		]);
		await project.assertColors(afterRelease(before, "1.4.0", VERSIONS));
	});

	it("are no part of going back, and of an update that changes nothing", async () => {
		const before = await project.current();
		declareStages(project, [ownStage("Smoke", "process.exit(1)")]);
		project.configure({ release: "1.3.0" });
		await project.mustUp();
		assert.deepEqual(await lastStages(project), [
			"Build Database Schema: skipped",
			"Run Unit Tests: skipped",
			"Deploy to Environment: skipped",
			"Health Checks: skipped",
			"Integration Tests: skipped",
			"Smoke: skipped",
			"Switch Traffic: completed",
			"Rollback: completed",
		]);
		await project.assertColors({ ...before, live: before.live === "blue" ? "green" : "blue" });
		assert.deepEqual(await contradictions(project), []);
	});
});
