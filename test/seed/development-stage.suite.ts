import assert from "node:assert/strict";
import { BUILD, FAILED, FIRST, FIRST_RELEASE, useDevelopment } from "./development";
import { stagesOf, stageThatRan, testsOf } from "./stage-record";
import { RAISED, useStaging } from "./staging";

describe("the development stage", () => {
	const development = useDevelopment();
	const staging = useStaging();

	it("code commit: each deployment knows its commit, its branch and who triggered it", async () => {
		assert.deepEqual(
			await development().project.catalog(
				`SELECT git_commit_hash AS commit, git_branch AS branch, triggered_by AS by FROM deployment_pipelines WHERE id = ${FIRST}`,
			),
			[{ commit: BUILD.GITHUB_SHA, branch: BUILD.GITHUB_REF_NAME, by: BUILD.GITHUB_ACTOR }],
		);
	});

	it("unit tests: functions, stored procedures and triggers of the database are tested in the release's own schema", async () => {
		const stage = await stageThatRan(staging().project, RAISED, "database-tests");
		assert.deepEqual([stage.name, stage.type, stage.status], ["Run Unit Tests", "test", "completed"]);
		const tests = testsOf(stage);
		for (const wanted of [
			"the function takes spaces off a name",
			"the procedure retires a camera",
			"the trigger tidies a new camera",
			"every trigger is enabled: none is not",
		]) {
			assert.ok(tests.includes(wanted), wanted);
		}
		assert.deepEqual(
			tests.filter((test) => /^not ok|# SKIP/.test(test)),
			[],
		);
	});

	it("integration tests: the API is asked over HTTP", async () => {
		const stage = await stageThatRan(development().project, FIRST, "api-integration");
		assert.deepEqual([stage.name, stage.type, stage.status], ["Integration Tests", "test", "completed"]);
		const tests = testsOf(stage);
		for (const wanted of [
			`release ${FIRST_RELEASE} answers`,
			"a camera is made, found, changed",
			"a batch of results is stored as it was sent",
			"nothing of this is left",
		]) {
			assert.ok(tests.includes(wanted), wanted);
		}
	});

	it("integration tests: the cache answers what the database has", async () => {
		const { status, output } = await stageThatRan(development().project, FIRST, "cache");
		assert.equal(status, "completed");
		assert.match(
			output,
			/^ok 1 - totals come from the cache of .*\nok 2 - totals are those of the database$/m,
		);
	});

	it("integration tests: the queue answers and its worker works", async () => {
		const { status, output } = await stageThatRan(development().project, FIRST, "queue");
		assert.equal(status, "completed");
		assert.match(output, /^ok 1 - the queue can be asked\nok 2 - the worker is working, as it should be$/m);
	});

	it("code review: the security scan looks at SQL, rights and packages", async () => {
		const stage = await stageThatRan(staging().project, RAISED, "security");
		assert.equal(stage.status, "completed");
		assert.deepEqual(
			testsOf(stage).map((test) => test.replace(/ # SKIP .*/, "")),
			[
				"no migration widens rights",
				"no role holds more than is declared",
				"no package has a known weakness of high or critical severity",
			],
		);
	});

	it("code review: a quality gate that is not passed keeps the release from going live", async () => {
		const { project, failed } = development();
		assert.notEqual(failed.result.code, 0);
		assert.match(failed.result.output, /stage "Smoke Tests": it ended with exit code 3/);
		assert.equal(failed.liveRelease, FIRST_RELEASE);
		const gate = (await stagesOf(project, FAILED)).find(({ name }) => name === "Smoke Tests");
		assert.deepEqual([gate?.status, gate?.output], ["failed", "smoke"]);
	});
});
