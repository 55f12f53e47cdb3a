import { rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeDirectory, readTextFile } from "../components/local/files";
import { isProgramRunning } from "../components/local/process-table";

/** Attempts to take a place that a program which has ended left. */
const ATTEMPTS = 3;

/**
 * Does its work while nobody else does the same in this folder: each would clean up what the other has deployed. The
 * place of a program that was killed is taken.
 *
 * @param file names the process that is at work
 * @param mark what its command line has in it
 * @throws Error naming the process that is at work already
 */
export async function onlyOne<T>(file: string, mark: string, work: () => Promise<T>): Promise<T> {
	makeDirectory(dirname(file));
	for (let attempt = 1; !(await take(file, mark)); attempt++) {
		if (attempt === ATTEMPTS) {
			throw new Error(`others take ${file} again and again: see what runs here, and try again`);
		}
	}
	try {
		return await work();
	} finally {
		rmSync(file, { force: true });
	}
}

async function take(file: string, mark: string): Promise<boolean> {
	try {
		writeFileSync(file, String(process.pid), { flag: "wx" });
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
			throw error;
		}
	}
	const pid = Number(readTextFile(file));
	if (pid > 0 && (await isProgramRunning(pid, mark))) {
		throw new Error(`one runs here already, as process ${pid}: wait for its end, or end it`);
	}
	rmSync(file, { force: true });
	return false;
}
