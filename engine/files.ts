/** Files that are either the old or the new ones, whatever happens while they are written. */
import { randomUUID } from "node:crypto";
import {
	closeSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf, EngineError, messageOf } from "./errors";

/**
 * Replaces a file: written beside it, flushed to the disk, then renamed. Readable by its owner only.
 * @throws EngineError naming the file when the disk is full or the folder is read-only.
 */
export function writeAtomically(file: string, content: string): void {
	const directory = dirname(file);
	const temporary = join(directory, `.${basename(file)}.${randomUUID()}.tmp`);
	let begun = false;
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		const handle = openSync(temporary, "wx", 0o600);
		begun = true;
		try {
			const bytes = Buffer.from(content);
			let written = 0;
			while (written < bytes.length) written += writeSync(handle, bytes, written);
			fsyncSync(handle);
		} finally {
			closeSync(handle);
		}
		renameSync(temporary, file);
		syncDirectory(directory);
	} catch (error) {
		if (begun) rmSync(temporary, { force: true });
		throw new EngineError(`could not write ${file}: ${whyNot(error)}`);
	}
}

function syncDirectory(directory: string): void {
	const handle = openSync(directory, "r");
	try {
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
}

function whyNot(error: unknown): string {
	switch (codeOf(error)) {
		case "ENOSPC":
		case "EDQUOT":
			return "the disk is full; free some space and run the command again";
		case "EACCES":
		case "EPERM":
			return "permission denied; check who owns the folder";
		case "EROFS":
			return "the file system is read-only";
		case "ENOTDIR":
		case "EEXIST":
			return "a file is in the way of a folder of its path";
		default:
			return messageOf(error);
	}
}

/** The text of a file, or undefined when there is no such file. */
export function readText(file: string): string | undefined {
	try {
		return readFileSync(file, "utf8");
	} catch (error) {
		if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
		throw new EngineError(`could not read ${file}: ${messageOf(error)}`);
	}
}

/**
 * A JSON file's value, or undefined when there is no such file.
 * @throws EngineError naming the file when it is not JSON.
 */
export function readJson(file: string): unknown {
	const text = readText(file);
	if (text === undefined) return undefined;
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new EngineError(`${file} is not JSON: ${messageOf(error)}`);
	}
}

/** The names in a directory in order; none when there is no such directory. */
export function namesIn(directory: string): string[] {
	try {
		return readdirSync(directory).sort();
	} catch (error) {
		if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
		throw new EngineError(`could not list ${directory}: ${messageOf(error)}`);
	}
}
