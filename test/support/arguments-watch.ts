import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const INTERVAL_MS = 25;

/** Does some work and collects the command lines of everything that runs on the machine meanwhile. Linux only. */
export async function watchingArguments(work: () => Promise<void>): Promise<string[]> {
	const seen = new Set<string>();
	let done = false;
	const watcher = (async () => {
		while (!done) {
			for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
				seen.add(argumentsOf(pid));
			}
			await sleep(INTERVAL_MS);
		}
	})();
	try {
		await work();
	} finally {
		done = true;
		await watcher;
	}
	return [...seen];
}

function argumentsOf(pid: string): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8");
	} catch {
		// It ended in between.
		return "";
	}
}
