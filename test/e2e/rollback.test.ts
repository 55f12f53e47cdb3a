import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { onEachEngine } from "../support/engines";
import { type CommandResult, finished, TestProject } from "../support/project";

/** Deploys nothing; fails where a file says so. What the command does with a release is proved by other suites. */
const PROGRAM = `
import { existsSync } from "node:fs";
import { Config, RunError } from "@pulumi/pulumi";
export = async () => {
	if (existsSync("broken")) throw new RunError("the program is broken");
	return { release: new Config().require("release") };
};
`;

onEachEngine("the rollback command", (engine) => {
	let project: TestProject;

	before(async () => {
		project = new TestProject(engine);
		writeFileSync(project.path("index.ts"), PROGRAM);
		await project.init();
	});

	after(() => rmSync(project.directory, { recursive: true, force: true }));

	function rollback(...args: string[]): Promise<CommandResult> {
		return finished(project.start(args, {}, "rollback.ts"));
	}

	/** As the workflow does, whose runs have a number that stays when they are run again, and of a secret that is not set an empty text. */
	function rollbackInRun(run: string): Promise<CommandResult> {
		const environment = { GITHUB_ACTIONS: "true", GITHUB_RUN_ID: run, PULUMI_CONFIG_PASSPHRASE: "" };
		return finished(project.start(["--stack", "dev"], environment, "rollback.ts"));
	}

	function releaseSet(): unknown {
		return parse(readFileSync(project.stackFile, "utf8")).config["camera-counting:release"];
	}

	async function deploy(release: string): Promise<void> {
		await project.must("config", "set", "release", release, "-s", "dev");
		await project.must("up", "--yes", "--skip-preview", "-s", "dev");
	}

	async function deployed(): Promise<string> {
		return (await project.must("stack", "output", "release", "-s", "dev")).stdout.trim();
	}

	/** Puts copies of the newest update into the history, much faster than updates would. */
	function repeatNewestUpdate(times: number): void {
		const folder = project.path(".local", "state", ".pulumi", "history", "camera-counting", "dev");
		const newest = readdirSync(folder).sort().at(-1)?.split(".")[0] ?? "";
		const nanoseconds = BigInt(newest.slice("dev-".length));
		for (let copy = 1n; copy <= times; copy++) {
			for (const kind of ["history", "checkpoint"]) {
				copyFileSync(
					join(folder, `${newest}.${kind}.json`),
					join(folder, `dev-${nanoseconds + copy}.${kind}.json`),
				);
			}
		}
	}

	it("says how it is used", async () => {
		for (const args of [[], ["dev"], ["--stack", "dev", "--force"]]) {
			const { code, output } = await rollback(...args);
			assert.deepEqual(
				[code, output],
				[2, "usage: npm run rollback -- --stack <stack> [--release <version>] [--dry-run]\n"],
			);
		}
	});

	it("says so when there is nothing to go back to", async () => {
		const never = await rollback("-s", "dev");
		assert.equal(never.code, 1);
		assert.match(never.output, /error: there is nothing to go back to: no update has been made yet/);
		await deploy("1.1.0");
		const only = await rollback("--stack=dev");
		assert.equal(only.code, 1);
		assert.match(only.output, /no update has succeeded with a release older than 1\.1\.0/);
		assert.equal(releaseSet(), "1.1.0");
	});

	it("only tells what it would do when it is asked to", async () => {
		await deploy("1.2.0");
		const { code, output } = await rollback("--stack", "dev", "--dry-run");
		assert.equal(code, 0, output);
		assert.match(output, /dev goes back from release 1\.2\.0 to 1\.1\.0, last deployed on \d{4}-\d\d-\d\dT/);
		assert.match(output, /nothing was changed/);
		assert.deepEqual([releaseSet(), await deployed()], ["1.2.0", "1.2.0"]);
	});

	it("sets the release that was live before and deploys it, and never brings back by itself what it took away", async () => {
		const back = await rollback("--stack", "dev");
		assert.equal(back.code, 0, back.output);
		assert.deepEqual([releaseSet(), await deployed()], ["1.1.0", "1.1.0"]);
		for (const args of [[], ["--dry-run"]]) {
			const again = await rollback("--stack", "dev", "--yes", ...args);
			assert.equal(again.code, 1, again.output);
			assert.match(again.output, /older than 1\.1\.0; 1\.2\.0 was gone back from: .*--release 1\.2\.0/);
		}
		assert.deepEqual([releaseSet(), await deployed()], ["1.1.0", "1.1.0"]);
		const named = await rollback("--stack", "dev", "--release", "1.2.0");
		assert.equal(named.code, 0, named.output);
		assert.deepEqual([releaseSet(), await deployed()], ["1.2.0", "1.2.0"]);
	});

	it("says how to go on when the update fails", async () => {
		writeFileSync(project.path("broken"), "");
		const failed = await rollback("--stack", "dev");
		assert.notEqual(failed.code, 0);
		assert.match(
			failed.output,
			/going back to release 1\.1\.0 failed; Pulumi\.dev\.yaml keeps it[\s\S]*npm run pulumi -- up -s dev[\s\S]*to stay with 1\.2\.0: npm run pulumi -- config set release 1\.2\.0 -s dev/,
		);
		assert.deepEqual([releaseSet(), await deployed()], ["1.1.0", "1.2.0"]);
		rmSync(project.path("broken"));
	});

	it("goes on going back after that failed, and does nothing when the same run of the workflow is run again", async () => {
		const { code, output } = await rollbackInRun("77");
		assert.equal(code, 0, output);
		assert.match(output, /dev goes on going back from release 1\.2\.0 to 1\.1\.0/);
		assert.deepEqual([releaseSet(), await deployed()], ["1.1.0", "1.1.0"]);
		await deploy("1.2.0");
		const again = await rollbackInRun("77");
		assert.equal(again.code, 0, again.output);
		assert.match(again.output, /this run has put dev back to release 1\.1\.0 already, on \d{4}-/);
		assert.deepEqual([releaseSet(), await deployed()], ["1.2.0", "1.2.0"]);
	});

	it("looks back beyond many updates of the same release", async () => {
		repeatNewestUpdate(20);
		const { output } = await rollback("--stack", "dev", "--dry-run");
		assert.match(output, /dev goes back from release 1\.2\.0 to 1\.1\.0/);
	});
});
