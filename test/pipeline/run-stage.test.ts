import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runStage, StageError, type StageRun } from "../../components/pipeline/run-stage";
import { processesOf } from "../support/processes";
import { until } from "../support/waiting";

describe("a stage's command", () => {
	let directory: string;
	let lines: string[];

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "counting-stage-"));
		lines = [];
	});

	afterEach(() => rmSync(directory, { recursive: true, force: true }));

	function run(command: string[], changes: Partial<StageRun> = {}): Promise<void> {
		return runStage({
			command,
			directory,
			environment: { PATH: process.env.PATH ?? "" },
			timeoutMs: 30_000,
			secrets: [],
			log: (line) => lines.push(line),
			...changes,
		});
	}

	/** A program of the test's own. */
	function program(text: string): string[] {
		const file = join(directory, "program.cjs");
		writeFileSync(file, text);
		return [process.execPath, file];
	}

	/** The message of the failure. */
	async function failure(command: string[], changes: Partial<StageRun> = {}): Promise<string> {
		const error = await run(command, changes).then(
			() => assert.fail("the stage passed"),
			(thrown: unknown) => thrown,
		);
		assert.ok(error instanceof StageError, String(error));
		return error.message;
	}

	it("passes with exit code 0, each line told as it comes", async () => {
		await run(program('console.log("one"); console.error("two"); process.stdout.write("three");'));
		assert.deepEqual([...lines].sort(), ["one", "three", "two"]);
	});

	it("gets its arguments as they are: no shell reads them", async () => {
		const wild = ["$HOME", "a b", "; exit 3", "*", "'\"", "`id`"];
		await run([...program("console.log(JSON.stringify(process.argv.slice(2)))"), ...wild]);
		assert.deepEqual(JSON.parse(lines.join("\n")), wild);
	});

	it("has no more in its environment than it is given", async () => {
		await run(program("console.log(Object.keys(process.env).sort().join())"), {
			environment: { PATH: process.env.PATH ?? "", STAGE_NAME: "Smoke" },
		});
		assert.deepEqual(
			lines[0]?.split(",").filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name)),
			["PATH", "STAGE_NAME"],
		);
	});

	it("fails with its exit code and its last lines", async () => {
		const text = 'for (let n = 1; n <= 30; n++) console.log("line " + n); process.exitCode = 3;';
		const message = await failure(program(text));
		assert.match(
			message,
			/^it ended with exit code 3: mend what it found, and run the update again; it said last:\n/,
		);
		assert.deepEqual(
			message.split("\n").slice(1),
			Array.from({ length: 20 }, (_, index) => `  line ${index + 11}`),
		);
	});

	it("fails when somebody ends it", async () => {
		const message = await failure(
			program("process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);"),
		);
		assert.match(message, /^it was ended by SIGKILL: find out who did that/);
	});

	it("fails in words when there is no such program", async () => {
		assert.match(
			await failure(["no-such-program"]),
			/^its command no-such-program was not found \(exit code 127\): correct the stage's command/,
		);
		const file = join(directory, "plain.txt");
		writeFileSync(file, "text");
		assert.match(await failure([file]), /plain\.txt cannot be executed \(exit code 126\)/);
	});

	it("is told to end at its deadline and may do so in order", async () => {
		const text = `
			process.once("SIGTERM", () => { console.log("tidied up"); process.exit(0); });
			console.log("waiting");
			setInterval(() => {}, 1000);`;
		const message = await failure(program(text), { timeoutMs: 1500 });
		assert.match(message, /^it did not end within 1\.5 s and was stopped: find out what it waits for/);
		assert.deepEqual(lines, ["waiting", "tidied up"]);
	});

	it("is killed with all that it started when it does not end after its deadline", async () => {
		const text = `
			const { spawn } = require("node:child_process");
			process.on("SIGTERM", () => console.log("no"));
			spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)", __dirname], { stdio: "inherit" });
			setInterval(() => {}, 1000);`;
		await failure(program(text), { timeoutMs: 1500, graceMs: 300 });
		assert.deepEqual(processesOf(directory), []);
	});

	it("leaves nothing running behind when it has passed", async () => {
		const text = `
			const { spawn } = require("node:child_process");
			spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", __dirname], { stdio: "inherit" });
			setTimeout(() => process.exit(0), 200);`;
		await run(program(text));
		await until("nothing runs", () => processesOf(directory).length === 0 || undefined);
	});

	it("ends with the update that runs it, even with one that is killed", async () => {
		const marker = join(directory, "started");
		const stage = program(
			`require("node:fs").writeFileSync(${JSON.stringify(marker)}, String(process.pid)); setInterval(() => {}, 1000);`,
		);
		const run = join(__dirname, "..", "..", "components", "pipeline", "run-stage.ts");
		const update = spawn(
			process.execPath,
			[
				"--require",
				"tsx/cjs",
				"-e",
				`require(${JSON.stringify(run)}).runStage({ command: ${JSON.stringify(stage)}, directory: ${JSON.stringify(directory)},
					environment: { PATH: process.env.PATH }, timeoutMs: 60000, secrets: [], log() {} });`,
			],
			{ cwd: join(__dirname, "..", ".."), stdio: "ignore" },
		);
		await until("the stage runs", () => {
			try {
				return readFileSync(marker, "utf8") || undefined;
			} catch {
				return undefined;
			}
		});
		const ended = once(update, "exit");
		update.kill("SIGKILL");
		await ended;
		await until("the stage is gone", () => processesOf(directory).length === 0 || undefined);
	});

	it("never tells a secret, in whatever parts it is printed", async () => {
		const secret = "hunter2-and/more";
		const text = `
			process.stdout.write("it is hunter2-");
			setTimeout(() => console.log("and/more, or hunter2-and%2Fmore"), 50);
			setTimeout(() => { process.stderr.write("x".repeat(9000) + "hunter2-and/more"); process.exitCode = 1; }, 100);`;
		const message = await failure(program(text), { secrets: [secret] });
		const said = lines.join("\n");
		assert.ok(said.includes("it is [secret], or [secret]"), said);
		assert.ok(!/hunter2/.test(said + message), "a secret was told");
	});
});
