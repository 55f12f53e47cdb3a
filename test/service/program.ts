import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

const ROOT = resolve(__dirname, "../..");
const DEADLINE_MS = 30_000;

/** A TypeScript program of the project, run as the platform runs it. */
export class Program {
	output = "";
	private readonly exited: Promise<number | null>;

	private constructor(
		readonly child: ChildProcess,
		private readonly name: string,
	) {
		const collect = (chunk: Buffer) => {
			this.output += chunk.toString();
		};
		child.stdout?.on("data", collect);
		child.stderr?.on("data", collect);
		this.exited = once(child, "close").then(([code]) => code as number | null);
	}

	/** Starts `entry` with nothing but `env` in its environment. */
	static start(entry: string, args: string[], env: Record<string, string>): Program {
		const child = spawn(process.execPath, ["--require", "tsx/cjs", entry, ...args], {
			cwd: ROOT,
			env: { PATH: process.env.PATH, ...env },
			stdio: ["ignore", "pipe", "pipe"],
		});
		return new Program(child, entry);
	}

	/** Waits for output that matches; fails when the program ends first. */
	async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
		const found = this.match(pattern);
		return found ?? this.within(this.nextMatch(pattern), `to write ${pattern}`);
	}

	private async nextMatch(pattern: RegExp): Promise<RegExpExecArray> {
		const ended = this.exited.then((code) => `ended with ${code}`);
		for (;;) {
			const written = this.child.stdout ? once(this.child.stdout, "data") : Promise.resolve();
			const outcome = await Promise.race([ended, written]);
			const found = this.match(pattern);
			if (found !== null) {
				return found;
			}
			if (typeof outcome === "string") {
				throw new Error(`${this.name} ${outcome} before writing ${pattern}:\n${this.output}`);
			}
		}
	}

	private match(pattern: RegExp): RegExpExecArray | null {
		return pattern.exec(this.output);
	}

	/** The exit code (null after a kill), once the program has ended. */
	exitCode(): Promise<number | null> {
		return this.within(this.exited, "to end");
	}

	/** Sends `signal` and waits for the end. */
	async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
		this.child.kill(signal);
		return this.exitCode();
	}

	private async within<T>(work: Promise<T>, what: string): Promise<T> {
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<never>((_, reject) => {
			timer = setTimeout(() => {
				this.child.kill("SIGKILL");
				reject(new Error(`waited ${DEADLINE_MS} ms for ${this.name} ${what}:\n${this.output}`));
			}, DEADLINE_MS);
		});
		try {
			return await Promise.race([work, late]);
		} finally {
			clearTimeout(timer);
		}
	}
}
