import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { readTextFile } from "./files";

const run = promisify(execFile);

/** The command line of a running process, or undefined when there is none (or only its exit status is left). */
export async function commandLine(pid: number): Promise<string | undefined> {
	// Slim Linux images have no `ps`; macOS has no /proc.
	return existsSync("/proc/self/cmdline") ? readProc(pid) : askPs(pid);
}

function readProc(pid: number): string | undefined {
	const args = readTextFile(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trim();
	return args === "" ? undefined : args;
}

async function askPs(pid: number): Promise<string | undefined> {
	try {
		const { stdout } = await run("ps", ["-o", "stat=,args=", "-p", String(pid)], { timeout: 5000 });
		const [, state, args] = /^\s*(\S+)\s+(.*)$/s.exec(stdout.trimEnd()) ?? [];
		return state === undefined || state.startsWith("Z") ? undefined : args;
	} catch (error) {
		if ((error as { code?: unknown }).code === 1) {
			return undefined;
		}
		throw error;
	}
}

/** Whether `pid` is a running process whose command line contains `mark`. */
export async function isProgramRunning(pid: number, mark: string): Promise<boolean> {
	return (await commandLine(pid))?.includes(mark) ?? false;
}
