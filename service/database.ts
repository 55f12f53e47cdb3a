import { type CustomTypesConfig, Pool, types } from "pg";
import type { Logger } from "pino";
import type { ServiceConfig } from "./config";

const CONNECT_TIMEOUT_MS = 5000;
const READINESS_TIMEOUT_MS = 1500;
const TIMESTAMPTZ = types.builtins.TIMESTAMPTZ;

export interface Database {
	/** Serves the requests. */
	requests: Pool;
	/** One connection of its own for /readyz, so that a busy pool does not look like a dead database. */
	readiness: Pool;
	close(): Promise<void>;
}

/** Prepares the pools; nothing is connected before the first query. */
export function openDatabase(config: ServiceConfig, log: Logger): Database {
	const requests = openPool(config, log, config.poolSize, config.statementTimeoutMs, CONNECT_TIMEOUT_MS);
	const readiness = openPool(config, log, 1, READINESS_TIMEOUT_MS, READINESS_TIMEOUT_MS);
	return {
		requests,
		readiness,
		close: async () => {
			await Promise.all([requests.end(), readiness.end()]);
		},
	};
}

function openPool(
	config: ServiceConfig,
	log: Logger,
	size: number,
	statementTimeoutMs: number,
	connectTimeoutMs: number,
): Pool {
	const { sslMode, ...target } = config.database;
	const pool = new Pool({
		...target,
		ssl: sslMode === "disable" ? false : { rejectUnauthorized: sslMode === "verify-full" },
		max: size,
		// Idle ones stay, for a colour that waits to get the traffic back.
		min: size,
		application_name: `counting-service ${config.release}`,
		options: "-c timezone=UTC -c datestyle=ISO",
		statement_timeout: statementTimeoutMs,
		// For a server that no longer answers at all.
		query_timeout: statementTimeoutMs + 1000,
		connectionTimeoutMillis: connectTimeoutMs,
		keepAlive: true,
		types: exactTimestamps,
	});
	pool.on("error", (error) => log.warn({ reason: error.message }, "an idle database connection was lost"));
	return pool;
}

/** Timestamps as ISO 8601 text: a Date would cut PostgreSQL's microseconds, which a cursor needs. */
const exactTimestamps: CustomTypesConfig = {
	getTypeParser: (oid, format) => (oid === TIMESTAMPTZ ? isoTimestamp : types.getTypeParser(oid, format)),
};

function isoTimestamp(text: string): string {
	return text.replace(" ", "T").replace(/\+00$/, "Z");
}
