import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { sourceOf } from "../../components/pipeline/source";
import { gitIn } from "../support/git";

describe("what is deployed", () => {
	let directory: string;
	let head: string;

	const git = (...args: string[]) => gitIn(directory, ...args);

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "counting-source-"));
		git("init", "--quiet", "--initial-branch=topic");
		writeFileSync(join(directory, "file"), "1");
		git("add", "file");
		git("commit", "--quiet", "-m", "first");
		head = git("rev-parse", "HEAD");
	});

	afterEach(() => rmSync(directory, { recursive: true, force: true }));

	it("is told by git, with who wrote it and whether all of it is committed", async () => {
		const source = { triggeredBy: userInfo().username, commit: head, branch: "topic", author: "Lan" };
		assert.deepEqual(await sourceOf({}, directory), { ...source, changed: [] });
		writeFileSync(join(directory, "file"), "2");
		writeFileSync(join(directory, "one more"), "");
		assert.deepEqual(await sourceOf({}, directory), { ...source, changed: ["file", "one more"] });
		git("mv", "--force", "file", "moved to");
		assert.deepEqual((await sourceOf({}, directory)).changed, ["moved to", "one more"]);
	});

	it("has no branch on a detached head", async () => {
		git("checkout", "--quiet", "--detach");
		assert.equal((await sourceOf({}, directory)).branch, undefined);
	});

	it("is unknown outside a work tree", async () => {
		rmSync(join(directory, ".git"), { recursive: true });
		assert.deepEqual(await sourceOf({}, directory), { triggeredBy: userInfo().username });
	});

	const systems: [string, Record<string, string>][] = [
		["GitHub", { GITHUB_SHA: "abc", GITHUB_REF_NAME: "main", GITHUB_HEAD_REF: "", GITHUB_ACTOR: "minh" }],
		[
			"GitHub, for a pull request",
			{ GITHUB_SHA: "abc", GITHUB_REF_NAME: "7/merge", GITHUB_HEAD_REF: "main", GITHUB_ACTOR: "minh" },
		],
		["GitLab", { CI_COMMIT_SHA: "abc", CI_COMMIT_REF_NAME: "main", GITLAB_USER_LOGIN: "minh" }],
		["Buildkite", { BUILDKITE_COMMIT: "abc", BUILDKITE_BRANCH: "main", BUILDKITE_BUILD_CREATOR: "minh" }],
	];
	for (const [name, environment] of systems) {
		it(`is told by ${name}, whose word counts more than git's`, async () => {
			assert.deepEqual(await sourceOf(environment, directory), {
				triggeredBy: "minh",
				commit: "abc",
				branch: "main",
				changed: [],
			});
		});
	}

	it("is completed from git where the CI system leaves something out", async () => {
		const { commit, branch, triggeredBy } = await sourceOf({ GITHUB_SHA: head }, directory);
		assert.deepEqual([commit, branch, triggeredBy], [head, "topic", userInfo().username]);
	});
});
