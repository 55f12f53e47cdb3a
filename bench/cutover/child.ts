import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** Starts a program of this folder as a process that talks with this one. */
export function startChild(file: string): ChildProcess {
	return fork(join(__dirname, file), { execArgv: ["--require", "tsx/cjs"], serialization: "advanced" });
}

/**
 * The next message of a child.
 *
 * @throws Error when the child ends first
 */
export async function answerOf<T>(child: ChildProcess): Promise<T> {
	const ended = once(child, "exit").then(([code]) => {
		throw new Error(`a process of the benchmark ended with ${code} before it had answered`);
	});
	const [answer] = await Promise.race([once(child, "message") as Promise<[T]>, ended]);
	return answer;
}
