import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { FakeGitHub } from "../scripts/fake-github";
import { BlueGreenProject } from "../support/blue-green-project";
import { type CommandResult, finished } from "../support/project";
import { documentedCommands } from "./documented";
import { ELSEWHERE } from "./elsewhere";
import { JOURNEY, type JourneyStep } from "./journey";

const known = new Set([...JOURNEY.map(({ command }) => command), ...Object.keys(ELSEWHERE)]);

/** A command that is only named, without what it is given: the whole one is known. */
const isNamed = (command: string) => [...known].some((each) => each.startsWith(`${command} `));

describe("the commands of the documentation", () => {
	it("are all run by a test, or it is said why not", () => {
		const unknown = documentedCommands().filter(
			({ command, isWhole }) => !known.has(command) && (isWhole || !isNamed(command)),
		);
		assert.deepEqual(
			unknown.map(({ command, where }) => `${where}: ${command}`),
			[],
			"run them in test/docs/journey.ts, or say in test/docs/elsewhere.ts which test does",
		);
	});

	it("are still there, where a test is said to run them", () => {
		const documented = new Set(documentedCommands().map(({ command }) => command));
		assert.deepEqual(
			[...known].filter((command) => !documented.has(command)),
			[],
			"take them out of test/docs",
		);
	});

	it("are run by the tests that are named for it", () => {
		const wrong = Object.entries(ELSEWHERE).filter(
			([, entry]) =>
				"test" in entry && !(existsSync(entry.test) && readFileSync(entry.test, "utf8").includes(entry.by)),
		);
		assert.deepEqual(wrong, []);
	});
});

describe("the commands of the documentation, one after the other", () => {
	let project: BlueGreenProject;
	let github: FakeGitHub;

	before(async () => {
		github = await FakeGitHub.start();
		project = new BlueGreenProject("embedded", { release: "1.3.0" });
		project.bringMigration("1.4.0_add_ingested_batches.sql");
		// By it `npm run` sees that the packages are installed.
		cpSync("package-lock.json", project.path("package-lock.json"));
		writeFileSync(project.path("url.txt"), "http://127.0.0.1:9/receiver\n");
	});

	after(async () => {
		await project.discard();
		await github.stop();
	});

	it("do what it says of them", async function () {
		this.timeout(900_000);
		for (const step of JOURNEY) {
			const { code, output, stdout } = await runStep(step);
			const told = `${step.as ?? step.command} ended with ${code}:\n${output}`;
			assert.equal(code, step.code ?? 0, told);
			assert.match(stdout === "" ? output : stdout, step.shows, told);
		}
		assert.deepEqual(project.processes(), []);
	});

	function runStep({ command, as = command, input }: JourneyStep): Promise<CommandResult> {
		const [program = "", ...args] = as
			.replace(/ < .*$/, "")
			.replaceAll("-s S", `-s ${project.stack}`)
			.replace(/init S$/, `init ${project.stack}`)
			.split(" ");
		const environment = Object.entries(process.env).filter(([key]) => !/^(PULUMI_|npm_)/.test(key));
		return finished(
			spawn(program, args[0] === "run" ? ["run", "--silent", ...args.slice(1)] : args, {
				cwd: project.directory,
				stdio: [input === undefined ? "ignore" : openSync(project.path(input), "r"), "pipe", "pipe"],
				env: {
					...Object.fromEntries(environment),
					DEPLOY_ENGINE: project.engine,
					GITHUB_REPOSITORY: "acme/counting",
					GITHUB_TOKEN: "a-token-of-the-test",
					GITHUB_API_URL: github.url,
				},
			}),
		);
	}
});
