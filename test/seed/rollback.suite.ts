import assert from "node:assert/strict";
import { migrate } from "../../components/migrations/run";
import { type Bench, file, openBench } from "../migrations/support";
import type { TestProject } from "../support/project";
import {
	FAILED,
	FIRST_RELEASE,
	NEW_RELEASE,
	PUT_BACK,
	PUT_BACK_IN_PART,
	RELEASE_BETWEEN,
	useDevelopment,
} from "./development";
import * as blueGreen from "./staging";

interface RollbackRow {
	type: string;
	reason: string;
	previous: string;
	target: string;
	status: string;
	steps: { step: string; status: string }[];
	error: string | null;
}

describe("the rollback", () => {
	const development = useDevelopment();
	const staging = blueGreen.useStaging();

	function rollbacksOf(project: TestProject, deploymentId: number): Promise<RollbackRow[]> {
		return project.catalog<RollbackRow & Record<string, unknown>>(
			`SELECT rollback_type AS type, rollback_reason AS reason, previous_version AS previous, target_version AS target,
				rollback_status AS status, rollback_steps AS steps, error_message AS error
			FROM deployment_rollbacks WHERE pipeline_id = $1 ORDER BY id`,
			[deploymentId],
		);
	}

	it("is automatic when a deployment fails, and undoes what it had applied, newest first", async () => {
		const { project, failed } = development();
		const [traffic, schema, ...others] = await rollbacksOf(project, FAILED);
		assert.deepEqual(others, []);
		assert.deepEqual([traffic?.type, schema?.type], ["automatic", "automatic"]);
		assert.match(traffic?.steps[0]?.step ?? "", /^traffic back on 1\.4\.0-/);
		assert.deepEqual(
			schema?.steps.map(({ step, status }) => `${step}: ${status}`),
			["undo 1.5.1 add_camera_zone: completed", "undo 1.5.0 add_zones: completed"],
		);
		assert.equal(failed.liveRelease, FIRST_RELEASE);
	});

	it("records the real version that was there and the one that is gone back to, the reason and the outcome", async () => {
		const [, schema] = await rollbacksOf(development().project, FAILED);
		assert.deepEqual(
			[schema?.previous, schema?.target, schema?.status, schema?.error],
			[NEW_RELEASE, FIRST_RELEASE, "completed", null],
		);
		assert.match(schema?.reason ?? "", /^stage "Smoke Tests": it ended with exit code 3/);
	});

	it("is manual when the release is put back in place, by one command", async () => {
		const { project, putBack } = development();
		assert.equal(putBack.result.code, 0);
		const [rollback, ...others] = await rollbacksOf(project, PUT_BACK);
		assert.deepEqual(others, []);
		assert.deepEqual(
			[rollback?.type, rollback?.previous, rollback?.target, rollback?.status],
			["manual", NEW_RELEASE, FIRST_RELEASE, "completed"],
		);
		assert.deepEqual(
			rollback?.steps.map(({ step }) => step.split(" ").slice(0, 2).join(" ")),
			["undo 1.5.1", "undo 1.5.0"],
		);
		assert.ok(!putBack.columns.includes("zone"));
	});

	it("is manual when the release is put back to one with the same migrations too", async () => {
		const [rollback, ...others] = await rollbacksOf(development().project, PUT_BACK_IN_PART);
		assert.deepEqual(others, []);
		assert.deepEqual(
			[rollback?.type, rollback?.previous, rollback?.target, rollback?.status],
			["manual", NEW_RELEASE, RELEASE_BETWEEN, "completed"],
		);
		assert.deepEqual(
			rollback?.steps.map(({ step }) => step),
			[`traffic to ${RELEASE_BETWEEN}`],
		);
	});

	it("is manual when the traffic is put back to the other colour", async () => {
		const [rollback, ...others] = await rollbacksOf(staging().project, blueGreen.PUT_BACK);
		assert.deepEqual(others, []);
		assert.deepEqual(
			[rollback?.type, rollback?.previous, rollback?.target, rollback?.status],
			["manual", blueGreen.NEW_RELEASE, blueGreen.FIRST_RELEASE, "completed"],
		);
		assert.deepEqual(
			rollback?.steps.map(({ step }) => step),
			["guard", "way back", "hold", "close", "last write", "keep closed", "open", "route", "release"],
		);
	});

	it("is for a failed health check when the new release does not bear the traffic", async () => {
		const { project, withdrawn } = staging();
		const [rollback, ...others] = await rollbacksOf(project, blueGreen.WITHDRAWN);
		assert.deepEqual(others, []);
		assert.deepEqual(
			[rollback?.type, rollback?.previous, rollback?.target, rollback?.status],
			["health_check_failure", blueGreen.FAILING_RELEASE, blueGreen.FIRST_RELEASE, "completed"],
		);
		assert.match(rollback?.reason ?? "", /did not stand its bake/);
		assert.match(
			withdrawn.traffic.result.output,
			/the traffic went back to blue-1; requests waited [\d.]+ ms and nothing was lost/,
		);
	});

	it("saves first what going back in place destroys, names the file, and `npm run restore` puts it back", () => {
		const { putBack, zones } = development();
		const [file, ...others] = putBack.backups;
		assert.deepEqual(others, []);
		assert.match(file ?? "", /-1\.5\.1-public\.cameras\.sql$/);
		assert.ok(putBack.result.output.includes("1 row of public.cameras saved in "));
		assert.deepEqual(zones, { raisedAgain: null, restored: 7 });
	});

	describe("of migrations", () => {
		let bench: Bench;

		beforeEach(async () => {
			bench = await openBench();
		});

		afterEach(() => bench.close());

		it("is recorded as failed with its error and the steps that it came to, when it fails itself", async () => {
			bench.write("1.0.0_a.sql", file("CREATE TABLE a (id int);", "SELECT 1 / 0;"));
			bench.write("1.1.0_b.sql", file("CREATE TABLE b (id int);", "DROP TABLE b;"));
			const wanted = bench.write("1.2.0_c.sql", file("SELECT nothing;", "SELECT 1;"));
			await assert.rejects(
				migrate(bench.options(wanted)),
				/the automatic rollback failed: undoing migration 1\.0\.0 a/,
			);
			const [rollback] = await bench.inCatalog<RollbackRow>(
				"SELECT rollback_status AS status, rollback_steps AS steps, error_message AS error FROM deployment_rollbacks",
			);
			assert.equal(rollback?.status, "failed");
			assert.match(rollback?.error ?? "", /division by zero/);
			assert.deepEqual(
				rollback?.steps.map(({ step, status }) => `${step}: ${status}`),
				["undo 1.1.0 b: completed", "undo 1.0.0 a: failed"],
			);
		});
	});
});
