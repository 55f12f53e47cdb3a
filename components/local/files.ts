import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";

const MENDS: Record<string, string> = {
	EACCES: "the folder is not writable: give this user write access to it",
	EPERM: "the folder is not writable: give this user write access to it",
	EROFS: "the file system is read-only: mount it writable or clone elsewhere",
	ENOSPC: "the disk is full: free some space",
	EDQUOT: "the disk quota is used up: free some space",
};

/**
 * Turns the system's refusal of a write into one sentence that names the path and the mend.
 * Errors of other kinds come back as they are.
 */
export function explainWriteError(error: unknown, path: string): unknown {
	const code = (error as NodeJS.ErrnoException | undefined)?.code;
	const mend = code === undefined ? undefined : MENDS[code];
	return mend === undefined ? error : new Error(`cannot write ${path}: ${mend} (${code})`, { cause: error });
}

/** Creates a folder and its parents; `mode` is that of the folder itself. */
export function makeDirectory(path: string, mode = 0o755): void {
	try {
		mkdirSync(path, { recursive: true, mode });
	} catch (error) {
		throw explainWriteError(refusalOf(error, path), path);
	}
}

/** Making parents as well, Node tells of a read-only file system as of a missing folder: one folder alone tells why. */
function refusalOf(error: unknown, path: string): unknown {
	if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
		return error;
	}
	let missing = path;
	while (!existsSync(dirname(missing))) {
		missing = dirname(missing);
	}
	try {
		mkdirSync(missing);
		return error;
	} catch (refusal) {
		return refusal;
	}
}

/** Replaces a file in one step, so that a crash leaves the old or the new content, never a part. */
export function writeFileAtomically(path: string, content: string, mode = 0o644): void {
	const draft = `${path}.${process.pid}.tmp`;
	try {
		makeDirectory(dirname(path));
		// Created anew, so that a link which someone else put there is not followed.
		rmSync(draft, { force: true });
		writeFileSync(draft, content, { mode, flush: true, flag: "wx" });
		renameSync(draft, path);
	} catch (error) {
		rmSync(draft, { force: true });
		throw explainWriteError(error, path);
	}
}

/** The content of a JSON file, or undefined when there is none. */
export function readJsonFile<T extends z.ZodType>(path: string, schema: T): z.infer<T> | undefined {
	const text = readTextFile(path);
	if (text === undefined) {
		return undefined;
	}
	try {
		return schema.parse(JSON.parse(text));
	} catch (cause) {
		throw new Error(`${path} is damaged: remove it and run the update again`, { cause });
	}
}

/** The content of a text file, or undefined when there is none. */
export function readTextFile(path: string): string | undefined {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) {
			return undefined;
		}
		throw error;
	}
}
