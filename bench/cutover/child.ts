import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

/** Starts a program, of this folder unless its path is absolute, as a process that talks with this one. */
export function startChild(file: string): ChildProcess {
	return fork(resolve(__dirname, file), { execArgv: ["--require", "tsx/cjs"], serialization: "advanced" });
}

/**
 * The next message of a child.
 *
 * @throws Error when the child ends first
 */
export async function answerOf<T>(child: ChildProcess): Promise<T> {
	const settled = new AbortController();
	const { signal } = settled;
	const ended = once(child, "exit", { signal }).then(([code]) => {
		throw new Error(`a process of the benchmark ended with ${code} before it had answered`);
	});
	try {
		const [answer] = await Promise.race([once(child, "message", { signal }) as Promise<[T]>, ended]);
		return answer;
	} finally {
		settled.abort();
	}
}
