import { setTimeout as sleep } from "node:timers/promises";
import type { ClientBase } from "pg";

const POLL_MS = 100;

/**
 * Takes an advisory lock of the session's database for the rest of the session.
 *
 * @param timeoutMs milliseconds to wait for who holds it
 * @returns undefined once it is taken, else who holds it, in words
 */
export async function takeSessionLock(
	client: ClientBase,
	key: bigint,
	timeoutMs: number,
): Promise<string | undefined> {
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS taken", [key]);
		if (rows[0].taken) return undefined;
		const left = deadline - performance.now();
		if (left <= 0) return describeHolder(client, key);
		await sleep(Math.min(POLL_MS, left));
	}
}

async function describeHolder(client: ClientBase, key: bigint): Promise<string> {
	const { rows } = await client.query(
		`SELECT pid, application_name, usename, backend_start
		FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE locktype = 'advisory' AND granted AND objsubid = 1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (classid::bigint << 32) | objid::bigint = $1`,
		[key],
	);
	const holder = rows[0];
	return holder
		? `it is held by process ${holder.pid} (${holder.application_name || "no name"}, role ${holder.usename}), ` +
				`connected since ${holder.backend_start?.toISOString() ?? "an unknown time"}`
		: "its holder has just ended";
}
