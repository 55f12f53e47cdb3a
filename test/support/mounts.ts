import { execFileSync } from "node:child_process";
import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	rmdirSync,
	rmSync,
	statfsSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const isRoot = process.getuid?.() === 0;

/** Why no file system can be mounted here; undefined when one can. */
export const mountObstacle: string | undefined = findObstacle();

/** Why no folder can be made read-only here; undefined when one can. */
export const readOnlyObstacle: string | undefined = isRoot ? mountObstacle : undefined;

/** A test that needs what is not there everywhere; skipped with the reason where it is not. */
export function itUnless(obstacle: string | undefined, title: string, test: () => Promise<void>): void {
	if (obstacle === undefined) {
		it(title, test);
	} else {
		it.skip(`${title} (skipped: ${obstacle})`, test);
	}
}

/** A folder with a small disk of its own. */
export interface SmallDisk {
	/** Gives it another size in MiB. */
	resize(megabytes: number): void;
	/** Fills it but for so many bytes, until `clear`. */
	fill(left: number): void;
	clear(): void;
	remove(): void;
}

export function mountSmallDisk(folder: string, megabytes: number): SmallDisk {
	mkdirSync(folder, { recursive: true, mode: 0o755 });
	const filler = join(folder, "filler");
	run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", folder);
	return {
		fill(left) {
			const { bavail, bsize } = statfsSync(folder);
			writeFileSync(filler, Buffer.alloc(bavail * bsize - left));
		},
		clear: () => rmSync(filler),
		resize: (wanted) => run("mount", "-o", `remount,size=${wanted}m`, folder),
		remove: () => run("umount", "--lazy", folder),
	};
}

/** Does some work while nobody can write a folder; permissions do not hold root back, a read-only mount does. */
export async function withReadOnly<T>(folder: string, work: () => Promise<T>): Promise<T> {
	const { mode } = statSync(folder);
	if (isRoot) {
		run("mount", "--bind", folder, folder);
		run("mount", "-o", "remount,ro,bind", folder);
	} else {
		chmodSync(folder, 0o555);
	}
	try {
		return await work();
	} finally {
		if (isRoot) {
			run("umount", "--lazy", folder);
		} else {
			chmodSync(folder, mode);
		}
	}
}

function findObstacle(): string | undefined {
	if (!isRoot) {
		return "only root may mount";
	}
	const folder = mkdtempSync(join(tmpdir(), "counting-mount-"));
	try {
		mountSmallDisk(folder, 1).remove();
		return undefined;
	} catch {
		return "mounting is not permitted";
	} finally {
		rmdirSync(folder);
	}
}

function run(program: string, ...args: string[]): void {
	execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
}
