import { statfs } from "node:fs/promises";
import type { ClientBase } from "pg";
import { LOOPBACK } from "../local/port";

/** Bytes free on a server's disk; undefined where that cannot be known, since the server is on another machine. */
export async function freeDisk(client: ClientBase & { host?: string }): Promise<number | undefined> {
	if (client.host !== LOOPBACK) {
		return undefined;
	}
	const { rows } = await client.query<{ directory: string }>(
		"SELECT current_setting('data_directory') AS directory",
	);
	const found = rows[0]?.directory;
	if (found === undefined) {
		return undefined;
	}
	try {
		const { bavail, bsize } = await statfs(found);
		return bavail * bsize;
	} catch (error) {
		// A forwarded port: the folder is on the machine behind it.
		if (["ENOENT", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) {
			return undefined;
		}
		throw error;
	}
}
