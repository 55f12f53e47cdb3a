import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { closeIssue, githubTarget, marker, writeComment, writeIssue } from "../../scripts/github";
import { FakeGitHub } from "./fake-github";

const execute = promisify(execFile);

describe("what workflows write on GitHub", () => {
	let github: FakeGitHub;
	let environment: Record<string, string>;

	beforeEach(async () => {
		github = await FakeGitHub.start();
		environment = {
			GITHUB_REPOSITORY: "acme/counting",
			GITHUB_TOKEN: "ghs_secret",
			GITHUB_API_URL: github.url,
		};
	});

	afterEach(() => github.stop());

	it("is one comment on a pull request, written over by the next run", async () => {
		const target = githubTarget(environment);
		github.comments.push({ id: 1, body: "looks good to me", open: true });
		assert.equal(await writeComment(target, 12, "report", "first"), "written");
		assert.equal(await writeComment(target, 12, "report", "second"), "edited");
		assert.equal(await writeComment(target, 12, "other", "third"), "written");
		assert.deepEqual(
			github.comments.map(({ body }) => body),
			["looks good to me", `${marker("report")}\nsecond`, `${marker("other")}\nthird`],
		);
		assert.deepEqual([...github.tokens], ["Bearer ghs_secret"]);
	});

	it("finds its comment behind many others", async () => {
		const target = githubTarget(environment);
		for (let id = 1; id <= 130; id++) {
			github.comments.push({ id, body: id === 120 ? `${marker("report")}\nold` : "talk", open: true });
		}
		assert.equal(await writeComment(target, 12, "report", "new"), "edited");
		assert.equal(github.comments.length, 130);
	});

	it("is an issue for each stack, opened again only when the last one is closed", async () => {
		const target = githubTarget(environment);
		assert.equal(await writeIssue(target, "drift staging", "staging drifted", "a"), "written");
		assert.equal(await writeIssue(target, "drift staging", "staging drifted", "b"), "edited");
		assert.equal(github.issues.length, 1);
		github.issues[0]!.open = false;
		assert.equal(await writeIssue(target, "drift staging", "staging drifted", "c"), "written");
		assert.equal(github.issues.length, 2);
	});

	it("closes the issue about a stack that is as it should be, and says why", async () => {
		const target = githubTarget(environment);
		assert.equal(await closeIssue(target, "drift staging", "all is well"), false);
		await writeIssue(target, "drift staging", "staging drifted", "a");
		assert.equal(await closeIssue(target, "drift staging", "all is well"), true);
		assert.deepEqual(
			[github.issues.map(({ open }) => open), github.comments.map(({ body }) => body)],
			[[false], ["all is well"]],
		);
	});

	it("does not call it drift when a stack could not be looked at", async () => {
		const directory = mkdtempSync(join(tmpdir(), "counting-drift-"));
		const own = { PULUMI_BACKEND_URL: `file://${directory}`, DEPLOY_ENGINE: "embedded" };
		const drift = (...args: string[]) =>
			execute(process.execPath, ["--require", "tsx/cjs", "scripts/drift.ts", ...args], {
				env: { ...process.env, ...environment, ...own },
			});
		try {
			await assert.rejects(drift("-s", "nosuch", "--issue"), { code: 6 });
			const [issue] = github.issues;
			assert.equal(issue?.title, "nosuch could not be looked at");
			assert.match(issue.body, /failed with 6, so that nobody knows .*\n\n```\n(.*\n)*error: .*nosuch/);
			await assert.rejects(drift("-s", "nosuch", "--isue"), { code: 2 });
			assert.equal(github.issues.length, 1);
		} finally {
			rmSync(directory, { recursive: true });
		}
	});

	it("tells everything that the environment lacks", () => {
		assert.throws(
			() => githubTarget({ GITHUB_REPOSITORY: "counting" }),
			(error: Error) => {
				assert.match(error.message, /GITHUB_REPOSITORY: set it to owner\/name/);
				assert.match(error.message, /GITHUB_TOKEN: set it to/);
				return true;
			},
		);
	});

	it("tells what GitHub says against it, without the token", async () => {
		github.refuses = true;
		await assert.rejects(writeComment(githubTarget(environment), 12, "report", "x"), (error: Error) => {
			assert.match(error.message, /^GitHub answered 403 to GET .*: Resource not accessible by integration$/);
			assert.ok(!error.message.includes("ghs_secret"));
			return true;
		});
	});

	it("is made of the files that the command names", async () => {
		const directory = mkdtempSync(join(tmpdir(), "counting-comment-"));
		try {
			for (const name of ["dev", "staging"]) {
				writeFileSync(join(directory, `${name}.md`), `# ${name}`);
			}
			const files = ["dev.md", "staging.md"].map((name) => join(directory, name));
			const { stdout } = await execute(
				process.execPath,
				["--require", "tsx/cjs", "scripts/comment.ts", "12", "--as", "report-dev", ...files],
				{ env: { ...process.env, ...environment } },
			);
			assert.equal(stdout, "the comment on pull request 12 was written\n");
			assert.equal(github.comments[0]?.body, `${marker("report-dev")}\n# dev\n\n# staging`);
		} finally {
			rmSync(directory, { recursive: true });
		}
	});
});
