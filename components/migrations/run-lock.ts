import type { ClientBase } from "pg";
import { takeSessionLock } from "../database/advisory-lock";

/** The advisory lock that one run holds on its target database; any constant that nothing else there uses. */
const RUN_LOCK = 4_871_002_366_215n;

/** Another run works on the same database. */
export class RunLockError extends Error {
	constructor(message: string) {
		super(message);
		this.name = "RunLockError";
	}
}

/**
 * Takes the lock of the run for the rest of the session.
 *
 * @param timeoutMs how long to wait for another run
 * @throws RunLockError naming the session that holds it.
 */
export async function takeRunLock(client: ClientBase, timeoutMs: number): Promise<void> {
	const holder = await takeSessionLock(client, RUN_LOCK, timeoutMs);
	if (holder === undefined) return;
	const { rows } = await client.query("SELECT current_database() AS database");
	throw new RunLockError(
		`another run works on database ${rows[0].database}: its lock was not free within ${timeoutMs} ms; ${holder}. ` +
			"Wait for that run, or end it, then run the update again",
	);
}
