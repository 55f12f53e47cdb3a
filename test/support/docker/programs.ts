import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** Copies a program with the libraries that it needs into the root of an image, under its own paths. */
export function copyProgram(root: string, program: string): void {
	copyFile(root, program);
	for (const library of librariesOf(program)) {
		copyFile(root, library);
	}
}

/** A copy of a file or folder at the same path below the root of an image; links are followed. */
export function copyFile(root: string, path: string, target = path): void {
	const to = join(root, target);
	if (!existsSync(to)) {
		mkdirSync(dirname(to), { recursive: true });
		cpSync(realpathSync(path), to, { recursive: true, dereference: true });
	}
}

/** The path of an installed program; undefined when it is not there. */
export function installed(program: string): string | undefined {
	// Debian has wrappers on PATH for what is really in PostgreSQL's own folders.
	const folders = [...postgresFolders(), ...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
	return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function postgresFolders(): string[] {
	const base = "/usr/lib/postgresql";
	return existsSync(base) ? readdirSync(base).map((version) => join(base, version, "bin")) : [];
}

function librariesOf(program: string): string[] {
	if (readFileSync(realpathSync(program)).subarray(0, 2).toString() === "#!") {
		return [];
	}
	const listed = execFileSync("ldd", [program], { encoding: "utf8" });
	return listed.split("\n").flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
