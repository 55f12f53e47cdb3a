/** Processes that live no longer than the engine does. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { codeOf } from "./errors";

const LIFELINE = join(__dirname, "lifeline.cjs");
/** The SDK shows errors in colour, which Node may never come back from. */
const SAFE_INSPECT = join(__dirname, "..", "scripts", "safe-inspect.cjs");

export interface ChildOptions {
	nodeArguments: string[];
	script: string;
	arguments: string[];
	cwd: string;
	env: NodeJS.ProcessEnv;
	/** Gets every line that the process prints, as it comes. */
	onLine(line: string, stream: "stdout" | "stderr"): void;
}

export interface Exit {
	code: number | null;
	signal: NodeJS.Signals | null;
}

/** A node process in its own group, ended with everything in that group. */
export class Child {
	private readonly process: ChildProcess;
	/** Resolves when the process has ended and all its output was read. */
	readonly exited: Promise<Exit>;

	constructor(options: ChildOptions) {
		this.process = spawn(
			process.execPath,
			[
				"--require",
				LIFELINE,
				"--require",
				SAFE_INSPECT,
				...options.nodeArguments,
				options.script,
				...options.arguments,
			],
			{
				cwd: options.cwd,
				env: { ...options.env, PULUMI_ENGINE_LIFELINE: "3" },
				detached: true,
				stdio: ["ignore", "pipe", "pipe", "pipe"],
			},
		);
		const { stdout, stderr } = this.process;
		if (stdout !== null) eachLine(stdout, (line) => options.onLine(line, "stdout"));
		if (stderr !== null) eachLine(stderr, (line) => options.onLine(line, "stderr"));
		this.exited = new Promise((resolve, reject) => {
			this.process.once("error", reject);
			this.process.once("exit", (code, signal) => {
				const drained = Promise.all([stdout, stderr].map((stream) => closed(stream)));
				const patience = new Promise((enough) => setTimeout(enough, 500).unref());
				void Promise.race([drained, patience]).then(() => resolve({ code, signal }));
			});
		});
		this.exited.catch(() => {});
	}

	get pid(): number | undefined {
		return this.process.pid;
	}

	/** Asks the process to end. */
	interrupt(): void {
		if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill("SIGINT");
	}

	/** Ends the process and whatever is left of its group, for good. */
	async end(): Promise<void> {
		if (this.process.pid !== undefined) {
			try {
				process.kill(-this.process.pid, "SIGKILL");
			} catch (error) {
				if (codeOf(error) !== "ESRCH") throw error;
			}
			await this.exited;
		}
		for (const stream of this.process.stdio) stream?.destroy();
	}
}

function eachLine(stream: Readable, onLine: (line: string) => void): void {
	createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", onLine);
}

function closed(stream: Readable | null): Promise<void> {
	if (stream === null || stream.closed) return Promise.resolve();
	return new Promise((resolve) => stream.once("close", resolve));
}

/** Splits a line as a shell would: quotes group, backslashes quote. */
export function splitArguments(line: string): string[] {
	const words: string[] = [];
	const pattern = /\s*((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)/gy;
	for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
		words.push(
			match[1]!.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g, (_, single, double, escaped) =>
				single !== undefined ? single : double !== undefined ? double.replace(/\\(.)/g, "$1") : escaped,
			),
		);
	}
	return words;
}
