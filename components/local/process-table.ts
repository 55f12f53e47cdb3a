import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { poll } from "./deadline";
import { readTextFile } from "./files";

const run = promisify(execFile);

/** The command line of a running process, or undefined when there is none (or only its exit status is left). */
export async function commandLine(pid: number): Promise<string | undefined> {
	// Slim Linux images have no `ps`; macOS has no /proc.
	return existsSync("/proc/self/cmdline") ? readProc(pid) : askPs(pid);
}

/** A program that is replacing another one, as a shell's `exec` does, has no arguments yet for a moment. */
async function readProc(pid: number): Promise<string | undefined> {
	const found = await poll(EXEC_TIMEOUT_MS, 1, () => {
		const args = readTextFile(`/proc/${pid}/cmdline`)?.replaceAll("\0", " ").trim();
		return args === "" && !hasEnded(pid) ? undefined : { args };
	});
	return found?.args || undefined;
}

const EXEC_TIMEOUT_MS = 1000;

/** Whether only the exit status of a process is left, if that. */
function hasEnded(pid: number): boolean {
	const stat = readTextFile(`/proc/${pid}/stat`);
	// The name before it may have parentheses and spaces of its own.
	return stat === undefined || ["Z", "X"].includes(stat.slice(stat.lastIndexOf(")") + 2).charAt(0));
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
