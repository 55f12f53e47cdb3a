import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MigrateOptions } from "../../components/migrations/options";
import type { Bench } from "./support";

const DEADLINE_MS = 15_000;

/** Waits until something is so. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
	const deadline = performance.now() + DEADLINE_MS;
	while (!(await holds())) {
		if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
		await sleep(20);
	}
}

/** Waits until a session of the target database runs, or waits in, a statement with this text. */
export function untilActive(bench: Bench, text: string, waitingFor = ""): Promise<void> {
	return until(`${text} runs`, async () => {
		const rows = await bench.inTarget(
			`SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
				AND state = 'active' AND query LIKE '%' || $1 || '%' AND ($2 = '' OR wait_event = $2)`,
			[text, waitingFor],
		);
		return rows.length > 0;
	});
}

/** A process of its own that runs `migrate`. */
export class MigratingProcess {
	private readonly child: ChildProcess;
	private readonly ended: Promise<unknown>;

	/** @param limits shell text that limits the process, such as `ulimit -f 8` */
	constructor({ log: _, ...options }: MigrateOptions, limits = "true") {
		const program = [process.execPath, "--require", "tsx/cjs", join(__dirname, "migrate-child.ts")];
		this.child = spawn("sh", ["-c", `${limits} && exec "$@"`, "sh", ...program], { stdio: "pipe" });
		this.ended = once(this.child, "exit");
		this.child.stdin?.end(JSON.stringify(options));
	}

	/** Kills it as a crash would, and waits until it is gone. */
	async kill(): Promise<void> {
		this.child.kill("SIGKILL");
		await this.ended;
	}

	/** Waits for its end. Returns what it wrote to its standard error. */
	async failure(): Promise<string> {
		const chunks: Buffer[] = [];
		this.child.stderr?.on("data", (chunk) => chunks.push(chunk));
		await this.ended;
		return Buffer.concat(chunks).toString("utf8");
	}
}
