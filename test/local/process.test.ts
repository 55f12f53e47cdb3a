import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	isRunning,
	type Launch,
	lastLogLines,
	launch,
	logFile,
	pidFile,
	stop,
} from "../../components/local/process";
import { commandLine } from "../../components/local/process-table";
import { until } from "../support/waiting";

describe("a detached process", () => {
	let launchOptions: Launch;

	beforeEach(() => {
		const directory = mkdtempSync(join(tmpdir(), "counting-process-"));
		launchOptions = { directory, instance: "worker-1", entry: join(directory, "worker.ts"), environment: {} };
	});

	afterEach(async () => {
		await stop(launchOptions, 0);
		rmSync(launchOptions.directory, { recursive: true, force: true });
	});

	function program(source: string): void {
		writeFileSync(launchOptions.entry, source);
	}

	async function logged(text: string): Promise<void> {
		while (!lastLogLines(launchOptions).includes(text)) {
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
	}

	it("runs in a session of its own with the environment it is given and no other", async () => {
		program('console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000); console.log("up");');
		process.env.TEST_ONLY_SECRET = "of the operator's shell";
		launchOptions.environment = { GIVEN: "yes" };
		try {
			await launch(launchOptions);
		} finally {
			delete process.env.TEST_ONLY_SECRET;
		}
		await logged("up");
		const environment = JSON.parse(readFileSync(logFile(launchOptions), "utf8").split("\n")[0] ?? "");
		assert.equal(environment.GIVEN, "yes");
		assert.equal(environment.TEST_ONLY_SECRET, undefined);
		assert.equal(await isRunning(launchOptions), true);
	});

	it("keeps its log and folder to its owner", async () => {
		program("setInterval(() => {}, 1000);");
		await launch(launchOptions);
		assert.equal(statSync(logFile(launchOptions)).mode & 0o777, 0o600);
	});

	it("ends when asked and is forgotten", async () => {
		program(
			'process.on("SIGTERM", () => { console.log("bye"); process.exit(); }); setInterval(() => {}, 1000); console.log("up");',
		);
		await launch(launchOptions);
		await logged("up");
		await stop(launchOptions, 5000);
		assert.match(lastLogLines(launchOptions), /bye/);
		assert.equal(await isRunning(launchOptions), false);
		assert.equal(existsSync(pidFile(launchOptions)), false);
	});

	it("is killed when it does not end in time", async () => {
		program('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up");');
		await launch(launchOptions);
		await logged("up");
		const pid = Number(readFileSync(pidFile(launchOptions), "utf8"));
		await stop(launchOptions, 50);
		assert.equal((await commandLine(pid))?.includes("worker-1") ?? false, false);
	});

	it("is not thought to have ended while its shell becomes the program", async () => {
		const script = join(launchOptions.directory, "again.sh");
		writeFileSync(script, 'exec /bin/sh "$0" "$1"\n');
		const child = spawn("/bin/sh", [script, launchOptions.instance], { stdio: "ignore" });
		try {
			await once(child, "spawn");
			writeFileSync(pidFile(launchOptions), `${child.pid}\n`);
			await until("the script runs", async () => (await isRunning(launchOptions)) || undefined);
			for (let look = 0; look < 2000; look++) {
				assert.equal(await isRunning(launchOptions), true);
			}
		} finally {
			child.kill("SIGKILL");
		}
	});

	it("is not mistaken for another process that has its process id", async () => {
		writeFileSync(pidFile(launchOptions), `${process.pid}\n`);
		assert.equal(await isRunning(launchOptions), false);
		await stop(launchOptions, 0);
		assert.equal(existsSync(pidFile(launchOptions)), false);
	});
});
