import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { RedactedLines } from "./redacted-lines";

/** How long a stage that has passed its deadline may take to end by itself, in milliseconds. */
const GRACE_MS = 5000;
/** How long output may still come once the process is gone, in milliseconds. */
const DRAIN_MS = 2000;
const TOLD_LINES = 20;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/**
 * Runs the command unchanged, in the place of the shell. A watcher beside it kills the whole process group when this
 * process is gone: a stage must not go on for an update that nobody waits for any more.
 */
const WITH_LIFELINE = "{ trap '' TERM; read -r line <&3; kill -KILL 0; } >/dev/null 2>&1 & exec \"$@\" 3<&-";

export interface StageRun {
	/** The program and its arguments; no shell reads them. */
	command: readonly string[];
	/** Where it runs. */
	directory: string;
	/** Its whole environment. */
	environment: Record<string, string>;
	timeoutMs: number;
	/** Milliseconds between telling it to end at its deadline and killing it. */
	graceMs?: number;
	/** What must not be shown or kept. */
	secrets: readonly string[];
	/** Told each line that it prints, while it runs. */
	log(line: string): void;
}

/** A stage did not pass; the message says how it ended, what to do, and what it said last. */
export class StageError extends Error {
	override readonly name = "StageError";
}

/**
 * Runs the command of a stage to its end, in a process group of its own. When it returns, or throws, no process of that
 * group is left.
 *
 * @throws StageError when it ends with anything but exit code 0, or not before its deadline
 */
export async function runStage(run: StageRun): Promise<void> {
	const { command, directory, environment, timeoutMs, graceMs = GRACE_MS, secrets, log } = run;
	const said: string[] = [];
	const lines = new RedactedLines(secrets, (line) => {
		said.push(line);
		said.splice(0, said.length - TOLD_LINES);
		log(line);
	});
	const child = spawn("/bin/sh", ["-c", WITH_LIFELINE, "stage", ...command], {
		cwd: directory,
		env: environment,
		detached: true,
		stdio: ["ignore", "pipe", "pipe", "pipe"],
	});
	child.stdout?.on("data", lines.reader());
	child.stderr?.on("data", lines.reader());
	let isOverdue = false;
	let killer: NodeJS.Timeout | undefined;
	const deadline = setTimeout(() => {
		isOverdue = true;
		signalGroup(child, "SIGTERM");
		killer = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
	}, timeoutMs);
	let code: number | null;
	let signal: NodeJS.Signals | null;
	try {
		[code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
	} finally {
		clearTimeout(deadline);
		clearTimeout(killer);
		signalGroup(child, "SIGKILL");
	}
	await drained(child);
	lines.end();
	const failure = failureOf({ command, timeoutMs, isOverdue, code, signal });
	if (failure !== undefined) {
		throw new StageError([failure, ...said.map((line) => `  ${line}`)].join("\n"));
	}
}

function failureOf(end: {
	command: readonly string[];
	timeoutMs: number;
	isOverdue: boolean;
	code: number | null;
	signal: NodeJS.Signals | null;
}): string | undefined {
	const { command, timeoutMs, isOverdue, code, signal } = end;
	if (isOverdue) {
		return (
			`it did not end within ${timeoutMs / 1000} s and was stopped: find out what it waits for, or raise its ` +
			"timeoutSeconds, and run the update again; it said last:"
		);
	}
	if (signal !== null) {
		return `it was ended by ${signal}: find out who did that, and run the update again; it said last:`;
	}
	if (code === NOT_FOUND || code === NOT_EXECUTABLE) {
		const what = code === NOT_FOUND ? "was not found" : "cannot be executed";
		return `its command ${command[0]} ${what} (exit code ${code}): correct the stage's command, and run the update again; it said last:`;
	}
	return code === 0
		? undefined
		: `it ended with exit code ${code}: mend what it found, and run the update again; it said last:`;
}

/** To all processes of the group, as long as there are any. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
	if (pid === undefined) {
		return;
	}
	try {
		process.kill(-pid, signal);
	} catch (error) {
		// A group of which only exit statuses are left is nobody's on macOS.
		if (!["ESRCH", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) {
			throw error;
		}
	}
}

/** Waits for the rest of the output; a process that left the group may hold it open for ever. */
async function drained(child: ChildProcess): Promise<void> {
	const open = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.closed);
	const closed = Promise.all(open.map((stream) => once(stream!, "close")));
	let timer: NodeJS.Timeout | undefined;
	await Promise.race([
		closed,
		new Promise((resolve) => {
			timer = setTimeout(resolve, DRAIN_MS);
		}),
	]);
	clearTimeout(timer);
	for (const stream of child.stdio) {
		stream?.destroy();
	}
}
