import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { loadMigrations } from "../migrations/files";
import { code } from "./markdown";
import type { Base, Known } from "./report-inputs";
import { readStackFile } from "./stack-file";

const run = promisify(execFile);
const GIT_TIMEOUT_MS = 30_000;
/** Where a branch usually comes from, in this order. */
const MAIN = ["origin/main", "main", "origin/master", "master"];

export interface BaseOptions {
	/** A folder of the work tree. */
	directory: string;
	stack: string;
	/** From that folder. */
	migrationsDirectory: string;
	/** What to compare with, at the commit where this left it; the main branch when left out. */
	ref?: string;
}

/** Reads a stack's files as they were at a commit, out of git's store: the work tree stays as it is. */
export async function baseOf(options: BaseOptions): Promise<Known<Base>> {
	const { directory, stack, migrationsDirectory } = options;
	try {
		const { name, commit } = await commitOf(options);
		const path = `Pulumi.${stack}.yaml`;
		const file = (await isThere(directory, commit, path)) && (await contentAt(directory, commit, path));
		return {
			known: {
				name: `${code(name)} (${commit.slice(0, 12)})`,
				file: file === false ? undefined : readStackFile(file),
				migrations: await migrationsAt(directory, commit, migrationsDirectory),
			},
		};
	} catch (error) {
		return { unknown: firstLine(error) };
	}
}

async function commitOf({ directory, ref }: BaseOptions): Promise<{ name: string; commit: string }> {
	if (ref !== undefined) {
		const commit = await resolved(directory, ref);
		if (commit === undefined) {
			throw new Error(`git knows no commit ${ref} here (in a shallow clone, fetch it first)`);
		}
		return { name: ref, commit: (await leftAt(directory, commit)) ?? commit };
	}
	for (const name of MAIN) {
		const commit = (await resolved(directory, name)) && (await leftAt(directory, name));
		if (commit !== undefined) {
			return { name, commit };
		}
	}
	throw new Error(
		"git does not tell where this comes from (no branch main, or a shallow clone): give --base",
	);
}

/** The newest commit that this and another have in common; what is newer there is not this one's doing. */
async function leftAt(directory: string, other: string): Promise<string | undefined> {
	return (await git(directory, "merge-base", "HEAD", other).catch(() => undefined))?.trim();
}

async function resolved(directory: string, ref: string): Promise<string | undefined> {
	if (ref.startsWith("-")) {
		return undefined;
	}
	try {
		return (await git(directory, "rev-parse", "--verify", "--quiet", `${ref}^{commit}`)).trim();
	} catch (error) {
		// It ends so when there is no such commit.
		if ((error as { code?: unknown }).code === 1) {
			return undefined;
		}
		throw error;
	}
}

/** A file's text at a commit. */
async function contentAt(directory: string, commit: string, path: string): Promise<string> {
	// A path that begins with ./ is taken from the folder, not from the repository's root.
	return git(directory, "show", `${commit}:./${path}`);
}

async function isThere(directory: string, commit: string, path: string): Promise<boolean> {
	return (await git(directory, "ls-tree", "--name-only", "-z", commit, `./${path}`)) !== "";
}

async function migrationsAt(directory: string, commit: string, folder: string): Promise<Base["migrations"]> {
	const listed = await git(directory, "ls-tree", "--name-only", "-z", commit, `./${folder}/`);
	const copy = mkdtempSync(join(tmpdir(), "report-base-"));
	try {
		for (const path of listed.split("\0").filter((each) => each.endsWith(".sql"))) {
			writeFileSync(
				join(copy, basename(path)),
				await contentAt(directory, commit, `${folder}/${basename(path)}`),
			);
		}
		return loadMigrations(copy);
	} finally {
		rmSync(copy, { recursive: true, force: true });
	}
}

async function git(directory: string, ...args: string[]): Promise<string> {
	const { stdout } = await run("git", args, {
		cwd: directory,
		// What it says against it is shown, among sentences of the same language.
		env: { ...process.env, LC_ALL: "C" },
		timeout: GIT_TIMEOUT_MS,
		maxBuffer: 1 << 28,
	});
	return stdout;
}

function firstLine(error: unknown): string {
	// What git itself says stands below the command that failed.
	const text =
		(error as { stderr?: string }).stderr || (error instanceof Error ? error.message : String(error));
	return text.trim().split("\n")[0] ?? "";
}
