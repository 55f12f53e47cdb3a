import type { Connection } from "../database/connection";
import { type StatementSnapshot, snapshotStatements } from "./statement-times";

/**
 * When the services that this update starts began to work on their databases: their statements are counted from there.
 * All providers of an update work in one process.
 */
const windows = new Map<string, StatementSnapshot>();

/**
 * Notes what the service's statements have taken until now. Where that cannot be read, the window opens with the health
 * check instead: no release fails for it.
 */
export async function openWindow(statistics: Connection, application: Connection): Promise<void> {
	const { database, user } = application;
	const snapshot = await snapshotStatements(statistics, { database, role: user }).catch(() => undefined);
	if (snapshot !== undefined) {
		windows.set(keyOf(application), snapshot);
	}
}

/** What {@link openWindow} has noted last; undefined when no service was started. */
export function windowOf(application: Connection): StatementSnapshot | undefined {
	return windows.get(keyOf(application));
}

function keyOf({ host, port, database }: Connection): string {
	return `${host}:${port}/${database}`;
}
