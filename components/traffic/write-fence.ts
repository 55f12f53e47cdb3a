import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
	type Client,
	type ClientBase,
	DatabaseError,
	escapeIdentifier,
	escapeLiteral,
	type QueryResult,
} from "pg";

const DEFINITION = join(__dirname, "fence", "write-fence.sql");
const TRIGGER = "deployment_write_fence";
/** What the application's processes listen to: they keep answers and work on jobs only while they may write. */
const CHANNEL = "deployment_write_fence";
/** The advisory lock that writers share; the same as in the definition. */
const FENCE_LOCK = 6_180_339_887_498_948n;
const LOCK_NOT_AVAILABLE = "55P03";
/** Longest wait for a table behind which its writers queue, in milliseconds. */
const TABLE_LOCK_MS = 200;
const RETRY_MS = 100;
/** A closing that would end sooner than this is not made final: clocks may be set, in milliseconds. */
const LEASE_MARGIN_MS = 250;

/** Whether a colour's database lets the application write. */
export interface FenceState {
	open: boolean;
	/** Closed for a while only: it opens by itself. */
	leased: boolean;
	/** Grows with each opening, over all colours; 0 was never open. */
	epoch: number;
}

/**
 * Makes the fence of a database and puts it on every table that the application may write, new ones included. A new
 * fence is closed. Tables are taken one by one and each only for a moment, so that writers hardly notice.
 *
 * @param owner the role that migrates the database, which the fence lets through
 * @param timeoutMs milliseconds for all of it
 * @throws Error naming the table that could not be had in time
 */
export async function installFence(client: Client, owner: string, timeoutMs: number): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	const role = escapeIdentifier(owner);
	await client.query(`BEGIN; SET LOCAL ROLE ${role}; ${readFileSync(DEFINITION, "utf8")}; COMMIT`);
	for (const table of await unfencedTables(client)) {
		await withShortLock(client, table, deadline, () =>
			client.query(
				`BEGIN; SET LOCAL lock_timeout = ${TABLE_LOCK_MS}; SET LOCAL ROLE ${role};
				CREATE TRIGGER ${TRIGGER} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table}
				FOR EACH STATEMENT EXECUTE FUNCTION deployment.refuse_fenced_write(); COMMIT`,
			),
		);
	}
}

async function unfencedTables(client: ClientBase): Promise<string[]> {
	const { rows } = await client.query<{ name: string }>(
		`SELECT format('%I.%I', nspname, relname) AS name
		FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
		WHERE relkind IN ('r', 'p') AND relpersistence <> 't'
			AND nspname NOT IN ('pg_catalog', 'information_schema', 'deployment') AND nspname !~ '^pg_(toast|temp)'
			AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
			AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = $1)
		ORDER BY 1`,
		[TRIGGER],
	);
	return rows.map(({ name }) => name);
}

/** Repeats an attempt that could not have its lock in time; between two attempts nothing is held. */
export async function withShortLock(
	client: ClientBase,
	what: string,
	deadline: number,
	attempt: () => Promise<unknown>,
): Promise<void> {
	for (;;) {
		try {
			await attempt();
			return;
		} catch (error) {
			await client.query("ROLLBACK");
			if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) {
				throw error;
			}
			if (performance.now() > deadline) {
				throw new Error(
					`${what} could not be locked: transactions on it are open all the time; end the longest (pg_stat_activity shows it) and run the update again`,
					{ cause: error },
				);
			}
			await sleep(RETRY_MS);
		}
	}
}

/** The state of a database's fence; undefined when it has none yet. */
export async function fenceState(client: ClientBase): Promise<FenceState | undefined> {
	const { rows: found } = await client.query(
		"SELECT to_regclass('deployment.write_fence') IS NOT NULL AS present",
	);
	if (!found[0].present) {
		return undefined;
	}
	const { rows } = await client.query<{ open: boolean; leased: boolean; epoch: string }>(
		`SELECT closed_until <= clock_timestamp() AS open,
			closed_until > clock_timestamp() AND closed_until < 'infinity' AS leased, epoch
		FROM deployment.write_fence`,
	);
	const row = rows[0];
	return row && { open: row.open, leased: row.leased, epoch: Number(row.epoch) };
}

/** Lets the application write into a database, and tells it so. The epoch tells which colour was opened last. */
export async function openFence(client: ClientBase, epoch: number): Promise<void> {
	try {
		await client.query(
			`BEGIN; SET LOCAL synchronous_commit = on;
			UPDATE deployment.write_fence SET closed_until = '-infinity', epoch = ${Math.trunc(epoch)}, changed_at = clock_timestamp();
			NOTIFY ${CHANNEL};
			COMMIT`,
		);
	} catch (error) {
		// Whoever has to clean up goes on with this session, if it is still there.
		await client.query("ROLLBACK").catch(() => {});
		throw error;
	}
}

/**
 * Closes a database to the application for a while and leaves a marker behind the last write. Transactions that have
 * begun to write are waited for, none is ended; writes that begin meanwhile are refused. The application is told.
 *
 * @param leaseMs milliseconds after which it opens by itself, should nobody be there any more to say otherwise
 * @param timeoutMs milliseconds to wait for the writers
 * @returns the marker
 * @throws Error naming the oldest writer when they do not end in time; the database is then open as before
 */
export async function closeFence(client: Client, leaseMs: number, timeoutMs: number): Promise<string> {
	const marker = randomUUID();
	try {
		await client.query(
			`BEGIN; SET LOCAL lock_timeout = ${Math.max(1, Math.ceil(timeoutMs))}; SET LOCAL synchronous_commit = on;
			SELECT pg_advisory_xact_lock(${FENCE_LOCK});
			UPDATE deployment.write_fence
			SET closed_until = clock_timestamp() + ${Math.ceil(leaseMs)} * interval '1 millisecond', changed_at = clock_timestamp();
			INSERT INTO deployment.cutover_markers (marker) VALUES (${escapeLiteral(marker)});
			NOTIFY ${CHANNEL};
			COMMIT`,
		);
		return marker;
	} catch (error) {
		await client.query("ROLLBACK");
		if (error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE) {
			throw new Error(
				`transactions that write were still open after ${Math.ceil(timeoutMs)} ms${await oldestWriter(client)}`,
				{ cause: error },
			);
		}
		throw error;
	}
}

/** A session with an open transaction that has written behind the fence. */
export interface Writer {
	pid: number;
	role: string;
	application: string;
	/** Milliseconds since its transaction began. */
	ageMs: number;
}

/** The transactions that have written and are still open, oldest first. */
export async function openWriters(client: ClientBase): Promise<Writer[]> {
	const { rows } = await client.query<Writer>(
		`SELECT pid, usename AS role, application_name AS application,
			(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::float8 AS "ageMs"
		FROM pg_locks JOIN pg_stat_activity USING (pid)
		WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted AND objsubid = 1 AND xact_start IS NOT NULL
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (classid::bigint << 32) | objid::bigint = $1
		ORDER BY xact_start`,
		[FENCE_LOCK],
	);
	return rows;
}

async function oldestWriter(client: ClientBase): Promise<string> {
	const [writer] = await openWriters(client);
	return writer === undefined
		? ""
		: `; the oldest is process ${writer.pid} (${writer.application || "no name"}, role ${writer.role}), for ${Math.round(writer.ageMs / 1000)} s`;
}

/**
 * Keeps a database closed that was closed for a while.
 *
 * @returns false when it may have opened by itself meanwhile: then nothing has changed
 */
export async function keepFenceClosed(client: ClientBase): Promise<boolean> {
	// Were it lost in a crash, this side would open by itself beside the other one.
	const results: unknown = await client.query(
		`SET LOCAL synchronous_commit = on;
		UPDATE deployment.write_fence SET closed_until = 'infinity', changed_at = clock_timestamp()
		WHERE closed_until > clock_timestamp() + ${LEASE_MARGIN_MS} * interval '1 millisecond'`,
	);
	return (results as QueryResult[])[1]?.rowCount === 1;
}

/** Leaves a marker in a database, behind everything that is committed by now. */
export async function leaveMarker(client: ClientBase): Promise<string> {
	const marker = randomUUID();
	await client.query("INSERT INTO deployment.cutover_markers (marker) VALUES ($1)", [marker]);
	return marker;
}

/** Whether a marker of the other colour has arrived. */
export async function hasMarker(client: ClientBase, marker: string): Promise<boolean> {
	const { rows } = await client.query(
		"SELECT EXISTS (SELECT FROM deployment.cutover_markers WHERE marker = $1) AS found",
		[marker],
	);
	return rows[0].found;
}
