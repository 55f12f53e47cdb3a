import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** The ids of running processes whose working folder or arguments lie below a folder. Linux only. */
export function processesOf(directory: string): number[] {
	return readdirSync("/proc")
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			const { folder, args } = inspect(pid);
			return args !== "" && (folder.startsWith(directory) || args.includes(directory));
		});
}

function inspect(pid: number): { folder: string; args: string } {
	try {
		return { folder: readlinkSync(`/proc/${pid}/cwd`), args: readFileSync(`/proc/${pid}/cmdline`, "utf8") };
	} catch {
		// It ended in between, or belongs to someone else: then it is none of ours.
		return { folder: "", args: "" };
	}
}
