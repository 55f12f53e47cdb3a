import { execFileSync } from "node:child_process";

const IDENTITY = ["user.name=Lan", "user.email=lan@example.com", "commit.gpgsign=false"];

/** Runs git in a folder as somebody, whatever this machine's git is set to. Returns what it prints. */
export function gitIn(directory: string, ...args: string[]): string {
	const identity = IDENTITY.flatMap((setting) => ["-c", setting]);
	return execFileSync("git", [...identity, ...args], { cwd: directory, encoding: "utf8" }).trim();
}
