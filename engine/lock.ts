/** One update at a time: a stack is locked by a file in its lock folder. */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Backend } from "./backend";
import { codeOf, EngineError } from "./errors";
import { namesIn, readJson, writeAtomically } from "./files";
import type { StackName } from "./project";

const LockContent = z.object({
	pid: z.number(),
	username: z.string(),
	hostname: z.string(),
	timestamp: z.string(),
});

interface HeldLock extends z.infer<typeof LockContent> {
	file: string;
}

/** Called with one line when a lock is taken over from a process that is gone. */
export type Notify = (line: string) => void;

/** Takes the lock, runs the work, and gives the lock back whatever happens. */
export async function withLock<T>(
	backend: Backend,
	name: StackName,
	notify: Notify,
	work: () => Promise<T>,
): Promise<T> {
	const file = join(backend.lockDirectory(name), `${randomUUID()}.json`);
	refuseIfLocked(backend, name, file, notify);
	const content = {
		pid: process.pid,
		username: userInfo().username,
		hostname: hostname(),
		timestamp: new Date().toISOString(),
	};
	writeAtomically(file, JSON.stringify(content));
	try {
		refuseIfLocked(backend, name, file, notify);
		return await work();
	} finally {
		rmSync(file, { force: true });
	}
}

/** Removes every lock of a stack; returns how many there were. */
export function cancelLocks(backend: Backend, name: StackName): number {
	const directory = backend.lockDirectory(name);
	const locks = namesIn(directory).filter((entry) => entry.endsWith(".json"));
	for (const entry of namesIn(directory)) rmSync(join(directory, entry), { force: true });
	return locks.length;
}

function refuseIfLocked(backend: Backend, name: StackName, own: string, notify: Notify): void {
	const held = locksOf(backend, name).filter((lock) => lock.file !== own);
	const alive = held.filter((lock) => {
		if (!isGone(lock)) return true;
		rmSync(lock.file, { force: true });
		rmSync(`${lock.file}.attrs`, { force: true });
		notify(`took over the lock of a process that is gone: ${describe(lock)}`);
		return false;
	});
	if (alive.length === 0) return;
	const lines = alive.map((lock) => `\n  ${lockUrl(backend, lock.file)}: created by ${describe(lock)}`);
	throw new EngineError(
		`the stack is currently locked by ${alive.length} lock(s). Either wait for the other process(es) to end or ` +
			`delete the lock file with \`pulumi cancel\`.${lines.join("")}`,
	);
}

function locksOf(backend: Backend, name: StackName): HeldLock[] {
	const directory = backend.lockDirectory(name);
	return namesIn(directory)
		.filter((entry) => entry.endsWith(".json"))
		.flatMap((entry) => {
			const file = join(directory, entry);
			const content = readJson(file);
			if (content === undefined) return [];
			const result = LockContent.safeParse(content);
			if (!result.success)
				throw new EngineError(`${file} is not a lock file:\n${z.prettifyError(result.error)}`);
			return [{ ...result.data, file }];
		});
}

function describe(lock: HeldLock): string {
	const since = lock.timestamp.replace(/\.\d+/, "");
	return `${lock.username}@${lock.hostname} (pid ${lock.pid}) at ${since}`;
}

function lockUrl(backend: Backend, file: string): string {
	return `file://${file.startsWith("/") ? file : join(backend.folder, file)}`;
}

/** Only of this host can it be said whether a process still runs. */
function isGone(lock: HeldLock): boolean {
	if (lock.hostname !== hostname()) return false;
	try {
		process.kill(lock.pid, 0);
		return isUncollected(lock.pid);
	} catch (error) {
		return codeOf(error) === "ESRCH";
	}
}

/** Whether a process has ended and only its parent has not asked for its exit status yet, as in containers without init. */
function isUncollected(pid: number): boolean {
	try {
		return /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
	} catch {
		return false;
	}
}
