import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";

/** The advisory lock that one run holds on its target database; any constant that nothing else there uses. */
const RUN_LOCK = 4_871_002_366_215n;
const POLL_MS = 100;

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
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS taken", [RUN_LOCK]);
		if (rows[0].taken) return;
		const left = deadline - performance.now();
		if (left <= 0) throw new RunLockError(await describeHolder(client, timeoutMs));
		await sleep(Math.min(POLL_MS, left));
	}
}

async function describeHolder(client: ClientBase, timeoutMs: number): Promise<string> {
	const { rows } = await client.query(
		`SELECT pid, application_name, usename, backend_start
		FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE locktype = 'advisory' AND granted AND objsubid = 1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (classid::bigint << 32) | objid::bigint = $1`,
		[RUN_LOCK],
	);
	const { rows: names } = await client.query("SELECT current_database() AS database");
	const holder = rows[0];
	const who = holder
		? `it is held by process ${holder.pid} (${holder.application_name || "no name"}, role ${holder.usename}), ` +
			`connected since ${holder.backend_start?.toISOString() ?? "an unknown time"}`
		: "its holder has just ended";
	return (
		`another run works on database ${names[0].database}: its lock was not free within ${timeoutMs} ms; ${who}. ` +
		"Wait for that run, or end it, then run the update again"
	);
}
