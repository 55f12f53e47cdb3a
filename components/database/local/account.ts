import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** The operating system's account that PostgreSQL runs as when the update runs as root, which PostgreSQL refuses. */
export interface Account {
	name: string;
	uid: number;
	gid: number;
}

const UNPRIVILEGED = ["postgres", "nobody"];

/**
 * The account to change to, or undefined when the current user will do.
 *
 * @throws Error when the update runs as root and the system has no unprivileged account.
 */
export function serverAccount(): Account | undefined {
	if (process.getuid?.() !== 0) {
		return undefined;
	}
	for (const name of UNPRIVILEGED) {
		const uid = idOf("-u", name);
		const gid = idOf("-g", name);
		if (uid !== undefined && gid !== undefined) {
			return { name, uid, gid };
		}
	}
	throw new Error(
		`PostgreSQL does not run as root and none of the users ${UNPRIVILEGED.join(", ")} exists: create one of them`,
	);
}

function idOf(flag: "-u" | "-g", name: string): number | undefined {
	try {
		return Number(
			execFileSync("id", [flag, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
		);
	} catch {
		return undefined;
	}
}

/** Whether an account can enter a folder: every folder on the way must let it through. */
export function canEnter(account: Account, directory: string): boolean {
	for (let path = resolve(directory); ; path = dirname(path)) {
		const { mode, uid, gid } = statSync(path);
		const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
		if ((mode & bit) === 0) {
			return false;
		}
		if (path === dirname(path)) {
			return true;
		}
	}
}
