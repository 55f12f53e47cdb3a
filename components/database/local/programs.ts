import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Installation } from "./installation";

/**
 * Runs one of PostgreSQL's own programs as the server's account and returns what it printed.
 *
 * @param timeoutMs milliseconds after which the program is killed
 * @param input text for its standard input: the way for secrets, which process arguments are not
 * @throws Error with the program's output when it fails
 */
export function runProgram(
	installation: Installation,
	program: "initdb" | "pg_ctl" | "postgres",
	args: string[],
	timeoutMs: number,
	input = "",
): Promise<string> {
	const { bin, home, account } = installation;
	return new Promise((resolve, reject) => {
		const child = spawn(join(bin, program), args, {
			cwd: home,
			// No variable of the caller's shell (PGDATA, PGPORT …, or a secret) reaches the server.
			env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
			stdio: ["pipe", "pipe", "pipe"],
			timeout: timeoutMs,
			killSignal: "SIGKILL",
			...(account && { uid: account.uid, gid: account.gid }),
		});
		let output = "";
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			output += text;
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			output += text;
		});
		child.once("error", reject);
		child.stdin.on("error", () => {});
		child.stdin.end(input);
		child.once("exit", (code, signal) => {
			if (code === 0) {
				resolve(output);
				return;
			}
			// What it was told may be a secret, and it may quote it.
			const told = input.trim();
			const shown = (told === "" ? output : output.replaceAll(told, "[its input]")).trim();
			const how = signal === null ? `ended with ${code}` : `did not finish within ${timeoutMs / 1000} s`;
			reject(new Error(`PostgreSQL's ${program} ${how}: ${shown}${lastLogLines(installation)}`));
		});
	});
}

const LOG_LINES = 12;

function lastLogLines({ home }: Installation): string {
	const log = join(home, "server.log");
	if (!existsSync(log)) {
		return "";
	}
	const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-LOG_LINES);
	return `\nlast lines of ${log}:\n${lines.join("\n")}`;
}
