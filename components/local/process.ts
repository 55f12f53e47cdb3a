import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { poll } from "./deadline";
import { explainWriteError, makeDirectory, readTextFile } from "./files";
import { isProgramRunning } from "./process-table";

/** A process of the stack that outlives the update which started it. */
export interface DetachedProcess {
	/** The folder of its files: `<instance>.pid`, `<instance>.log`. */
	directory: string;
	/** Its own name, unique for each start; stands in its arguments, so that a reused process id is not mistaken for it. */
	instance: string;
}

export interface Launch extends DetachedProcess {
	/** A TypeScript module, from the project's folder. */
	entry: string;
	args?: string[];
	/** Its whole environment besides PATH and HOME: nothing of the operator's shell gets in, no passphrase above all. */
	environment: Record<string, string>;
}

/** Starts a process in a session of its own, its output going to its log file. Waits for its process id only. */
export async function launch(process_: Launch): Promise<void> {
	const { directory, instance, entry, args = [], environment } = process_;
	makeDirectory(directory, 0o700);
	let log: number;
	try {
		log = openSync(logFile(process_), "a", 0o600);
	} catch (error) {
		throw explainWriteError(error, logFile(process_));
	}
	// The shell notes the process id before the program starts: a process that nobody knows of cannot come to be.
	const script = 'echo $$ > "$0" && exec "$@"';
	const program = [process.execPath, "--require", "tsx/cjs", entry, ...args, `--instance=${instance}`];
	const child = spawn("/bin/sh", ["-c", script, pidFile(process_), ...program], {
		cwd: process.cwd(),
		detached: true,
		stdio: ["ignore", log, log],
		env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, ...environment },
	});
	closeSync(log);
	await new Promise<void>((resolve, reject) => {
		child.once("error", reject);
		child.once("spawn", resolve);
	});
	child.unref();
	await poll(SPAWN_TIMEOUT_MS, 5, () => processId(process_));
}

const SPAWN_TIMEOUT_MS = 5000;

/** Whether the process runs. */
export async function isRunning(process_: DetachedProcess): Promise<boolean> {
	const pid = processId(process_);
	return pid !== undefined && (await isProgramRunning(pid, process_.instance));
}

/**
 * Ends the process and forgets its process id; its log stays.
 *
 * @param graceMs milliseconds it has to finish what it is doing before it is killed
 */
export async function stop(process_: DetachedProcess, graceMs: number): Promise<void> {
	const pid = processId(process_);
	if (pid !== undefined) {
		const gone = async () => ((await isProgramRunning(pid, process_.instance)) ? undefined : true);
		for (const [signal, waitMs] of [
			["SIGTERM", graceMs],
			["SIGKILL", 5000],
		] as const) {
			if (await gone()) {
				break;
			}
			kill(pid, signal);
			await poll(waitMs, 25, gone);
		}
		if (!(await gone())) {
			throw new Error(`process ${pid} (${process_.instance}) does not end: end it by hand (kill -9 ${pid})`);
		}
	}
	rmSync(pidFile(process_), { force: true });
}

/** Ends every process whose id is noted in a folder or one below it. */
export async function stopAll(directory: string, graceMs: number): Promise<void> {
	if (!existsSync(directory)) {
		return;
	}
	const entries = readdirSync(directory, { withFileTypes: true });
	for (const entry of entries) {
		if (entry.isFile() && entry.name.endsWith(".pid")) {
			await stop({ directory, instance: entry.name.slice(0, -".pid".length) }, graceMs);
		}
	}
	const below = entries.filter((entry) => entry.isDirectory() && entry.name !== "postgres");
	await Promise.all(below.map((entry) => stopAll(join(directory, entry.name), graceMs)));
}

/** The last lines of its log, for error messages. */
export function lastLogLines(process_: DetachedProcess, count = 10): string {
	const text = readTextFile(logFile(process_)) ?? "";
	return text.trimEnd().split("\n").slice(-count).join("\n");
}

export function logFile({ directory, instance }: DetachedProcess): string {
	return join(directory, `${instance}.log`);
}

export function pidFile({ directory, instance }: DetachedProcess): string {
	return join(directory, `${instance}.pid`);
}

function processId(process_: DetachedProcess): number | undefined {
	const text = readTextFile(pidFile(process_));
	return text?.endsWith("\n") ? Number(text) : undefined;
}

function kill(pid: number, signal: NodeJS.Signals): void {
	try {
		process.kill(pid, signal);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
			throw error;
		}
	}
}
