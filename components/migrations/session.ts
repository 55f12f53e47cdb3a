import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { type Connection, connect } from "../database/connection";
import { DatabaseUnavailableError, StatementFailure, serverError } from "./error";
import type { MigrationSettings } from "./options";
import { takeRunLock } from "./run-lock";
import type { Statement } from "./statements";

const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";
const NO_SUCH_DATABASE = "3D000";
/** How long the server lets a transaction idle whose owner was stopped, in milliseconds. */
const IDLE_TRANSACTION_MS = 60_000;
/** How soon the server notices that a run was killed while a statement is under way. */
const CONNECTION_CHECK_MS = 200;
const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 5_000;

/** The one session of a run on its target database. It holds the run's lock. */
export interface TargetSession {
	client: Client;
	settings: MigrationSettings;
	/** Puts the session back to how every migration finds it, whatever the one before left behind. */
	clean: string;
	log(line: string): void;
}

/**
 * Opens a connection, telling an absent database from an unreachable server.
 *
 * @throws DatabaseUnavailableError
 */
export async function openDatabase(
	connection: Connection,
	applicationName: string,
	statementTimeoutMs?: number,
): Promise<Client> {
	try {
		return await connect(connection, { applicationName, ...(statementTimeoutMs && { statementTimeoutMs }) });
	} catch (error) {
		const cause = error instanceof Error ? error.cause : undefined;
		const reason = serverError(cause)?.code === NO_SUCH_DATABASE ? "absent" : "unreachable";
		throw new DatabaseUnavailableError(reason, error instanceof Error ? error.message : String(error), {
			cause: error,
		});
	}
}

/** Makes a connection the session of a run: takes the run's lock and sets what every migration relies on. */
export async function beginSession(
	client: Client,
	settings: MigrationSettings,
	log: (line: string) => void,
): Promise<TargetSession> {
	await takeRunLock(client, settings.advisoryLockTimeoutMs);
	const clean = cleanSession(settings);
	await client.query(clean);
	return { client, settings, clean, log };
}

/**
 * Commits are not flushed one by one: each migration is committed together with its record, and the log is written in
 * order, so that a crash of the server loses the last ones whole or not at all. The end of the run flushes once.
 */
function cleanSession({ statementTimeoutMs, lockTimeoutMs }: MigrationSettings): string {
	const own = {
		search_path: "public",
		synchronous_commit: "off",
		client_connection_check_interval: CONNECTION_CHECK_MS,
		idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
		statement_timeout: statementTimeoutMs,
		lock_timeout: lockTimeoutMs,
	};
	const set = Object.entries(own).map(
		([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`,
	);
	return [
		"RESET SESSION AUTHORIZATION",
		"RESET ROLE",
		"RESET ALL",
		"CLOSE ALL",
		"UNLISTEN *",
		"DISCARD TEMP",
		`SELECT ${set.join(", ")}`,
	].join("; ");
}

/**
 * Sends one statement.
 *
 * @throws StatementFailure
 */
export async function send(
	{ client }: TargetSession,
	statement: Statement,
	{ before = "", after = "" } = {},
): Promise<void> {
	try {
		await client.query(`${before}${statement.sql}${after}`);
	} catch (error) {
		throw new StatementFailure(statement, [...before].length, error);
	}
}

/** Runs `work` in a transaction; a failed one is rolled back. */
export async function inTransaction<T>({ client }: TargetSession, work: () => Promise<T>): Promise<T> {
	try {
		const result = await work();
		await client.query("COMMIT");
		return result;
	} catch (error) {
		// Where the connection is gone, the server has rolled back already, and the first error is the one to tell.
		await client.query("ROLLBACK").catch(() => {});
		throw error;
	}
}

/**
 * Repeats an attempt that could not have its lock in time. Between two attempts nothing is held, so that whoever queues
 * behind the lock gets on.
 *
 * @param what named in the log
 */
export async function withLockRetries<T>(
	{ settings, log }: TargetSession,
	what: string,
	attempt: () => Promise<T>,
): Promise<T> {
	for (let retry = 1; ; retry++) {
		try {
			return await attempt();
		} catch (error) {
			const code = serverError(error)?.code;
			if (retry > settings.lockRetries || (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK_DETECTED))
				throw error;
			const longest = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(retry, 16));
			const pause = Math.round(longest / 2 + (Math.random() * longest) / 2);
			log(`${what} could not have its lock, retry ${retry} of ${settings.lockRetries} in ${pause} ms`);
			await sleep(pause);
		}
	}
}
