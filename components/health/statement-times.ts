import { type Client, DatabaseError, escapeIdentifier } from "pg";
import { type Connection, withClient } from "../database/connection";
import { type CheckResult, judge, rounded } from "./check-result";

/** What the application's statements have taken until a moment, since the server began to count. */
export interface StatementSnapshot {
	/** By the server's clock. */
	takenAt: Date;
	/** By the statement's key. */
	statements: Map<string, StatementTimes>;
}

interface StatementTimes {
	/** Without its values, which the server leaves out. */
	text: string;
	calls: number;
	/** Milliseconds. */
	totalMs: number;
}

/** A role's statements in one database. */
export interface StatementsOf {
	database: string;
	role: string;
}

const TIMEOUT_MS = 10_000;
const NOT_PRELOADED = "55000";
const TEXT_LENGTH = 160;

/**
 * Reads the counters of pg_stat_statements, which know no time: two snapshots tell what was between them. They are
 * never set back, since others read them too.
 *
 * @param statistics the database of the server that has the extension, as a role that may see all statistics
 * @returns undefined when the server does not count statements
 */
export function snapshotStatements(
	statistics: Connection,
	of: StatementsOf,
): Promise<StatementSnapshot | undefined> {
	const session = {
		applicationName: "deployment-health",
		connectTimeoutMs: TIMEOUT_MS,
		statementTimeoutMs: TIMEOUT_MS,
		queryTimeoutMs: TIMEOUT_MS,
	};
	return withClient(statistics, session, async (client) => {
		const view = await statisticsView(client);
		return view === undefined ? undefined : read(client, view, of);
	});
}

async function statisticsView(client: Client): Promise<string | undefined> {
	const { rows } = await client.query<{ schema: string }>(
		"SELECT extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname = 'pg_stat_statements'",
	);
	// The name comes quoted where it has to be.
	return rows[0] && `${rows[0].schema}.${escapeIdentifier("pg_stat_statements")}`;
}

async function read(
	client: Client,
	view: string,
	{ database, role }: StatementsOf,
): Promise<StatementSnapshot | undefined> {
	try {
		const { rows } = await client.query(
			`SELECT clock_timestamp() AS taken_at, queryid::text AS key, left(query, $3) AS text, calls, total_ms
			FROM (SELECT 1) AS always LEFT JOIN (
				SELECT queryid, min(query) AS query, sum(calls)::float8 AS calls, sum(total_exec_time) AS total_ms
				FROM ${view} JOIN pg_database ON pg_database.oid = dbid JOIN pg_roles ON pg_roles.oid = userid
				WHERE datname = $1 AND rolname = $2 AND toplevel
				GROUP BY queryid
			) AS statement ON true`,
			[database, role, TEXT_LENGTH],
		);
		const counted = rows.filter(({ key }) => key !== null);
		return {
			takenAt: rows[0].taken_at,
			statements: new Map(
				counted.map(({ key, text, calls, total_ms }) => [key, { text, calls, totalMs: total_ms }]),
			),
		};
	} catch (error) {
		if (error instanceof DatabaseError && error.code === NOT_PRELOADED) {
			return undefined;
		}
		throw error;
	}
}

/** A statement's mean within a window. */
export interface MeanTime {
	text: string;
	calls: number;
	/** Milliseconds. */
	meanMs: number;
}

/** Means of what was executed between two snapshots, slowest first. */
export function meanTimes(before: StatementSnapshot, after: StatementSnapshot): MeanTime[] {
	return [...after.statements]
		.flatMap(([key, { text, calls, totalMs }]) => {
			const earlier = before.statements.get(key);
			// Counters that fell were set back by somebody: all that they have is new.
			const known = earlier !== undefined && earlier.calls <= calls && earlier.totalMs <= totalMs;
			const from = known ? earlier : { calls: 0, totalMs: 0 };
			const made = calls - from.calls;
			return made === 0 ? [] : [{ text, calls: made, meanMs: (totalMs - from.totalMs) / made }];
		})
		.sort((left, right) => right.meanMs - left.meanMs);
}

/** Judges the slowest statement of a window by its mean execution time. */
export function checkPerformance(
	before: StatementSnapshot | undefined,
	after: StatementSnapshot | undefined,
	limits: { slowStatementMs: number; slowStatementFailMs: number },
): CheckResult {
	const check = "performance";
	if (before === undefined || after === undefined) {
		return {
			check,
			status: "WARNING",
			detail:
				"the server does not count statements: preload pg_stat_statements and create the extension in the administrator's database",
		};
	}
	const times = meanTimes(before, after);
	const seconds = Math.max(0, (after.takenAt.getTime() - before.takenAt.getTime()) / 1000).toFixed(1);
	const [slowest] = times;
	if (slowest === undefined) {
		return {
			check,
			status: "PASS",
			figure: 0,
			unit: "ms",
			detail: `no statement was executed in ${seconds} s`,
		};
	}
	const limit = { warning: limits.slowStatementMs, fail: limits.slowStatementFailMs };
	const status = judge(slowest.meanMs, limit);
	const executions = `${slowest.calls} execution${slowest.calls === 1 ? "" : "s"}`;
	const slow = times.filter(({ meanMs }) => meanMs >= limit.warning).length;
	const told =
		slow === 0 ? "" : `; ${slow} of them from ${limit.warning} ms on: look at their plans and indexes`;
	return {
		check,
		status,
		figure: rounded(slowest.meanMs),
		unit: "ms",
		detail:
			`the slowest mean of ${times.length} statements in ${seconds} s, of ${executions} of ` +
			`${slowest.text.replaceAll(/\s+/g, " ").trim()}${told}`,
	};
}
