import { type ClientConfig, type CustomTypesConfig, Pool, types } from "pg";
import type { Logger } from "pino";
import type { DatabaseTarget, ServiceConfig } from "./config";

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
	const { poolSize, statementTimeoutMs } = config;
	const session = clientSettings(config);
	const requests = openPool(session, log, poolSize, statementTimeoutMs, CONNECT_TIMEOUT_MS);
	const readiness = openPool(session, log, 1, READINESS_TIMEOUT_MS, READINESS_TIMEOUT_MS);
	return {
		requests,
		readiness,
		close: async () => {
			await Promise.all([requests.end(), readiness.end()]);
		},
	};
}

/** What every connection of this process has in common. */
export function sessionOf(
	{ sslMode, certificates, ...target }: DatabaseTarget,
	release: string,
): ClientConfig {
	const trusted = sslMode === "verify-full" && certificates !== undefined ? { ca: certificates } : {};
	return {
		...target,
		ssl: sslMode === "disable" ? false : { rejectUnauthorized: sslMode === "verify-full", ...trusted },
		application_name: `counting-service ${release}`,
		options: "-c timezone=UTC -c datestyle=ISO",
		keepAlive: true,
	};
}

/** Prepares a pool of `size` connections, which stay once they are made. */
export function openPool(
	session: ClientConfig,
	log: Logger,
	size: number,
	statementTimeoutMs: number,
	connectTimeoutMs = CONNECT_TIMEOUT_MS,
): Pool {
	const pool = new Pool({
		...session,
		max: size,
		// Idle ones stay, for a colour that waits to get the traffic back.
		min: size,
		statement_timeout: statementTimeoutMs,
		// For a server that no longer answers at all.
		query_timeout: statementTimeoutMs + 1000,
		connectionTimeoutMillis: connectTimeoutMs,
	});
	pool.on("error", (error) => log.warn({ reason: error.message }, "an idle database connection was lost"));
	return pool;
}

/** How the service connects and reads values, whatever it waits for. */
export function clientSettings({ database, release }: ServiceConfig): ClientConfig {
	return { ...sessionOf(database, release), types: exactTimestamps };
}

/** Timestamps as ISO 8601 text: a Date would cut PostgreSQL's microseconds, which a cursor needs. */
const exactTimestamps: CustomTypesConfig = {
	getTypeParser: (oid, format) => (oid === TIMESTAMPTZ ? isoTimestamp : types.getTypeParser(oid, format)),
};

function isoTimestamp(text: string): string {
	return text.replace(" ", "T").replace(/\+00$/, "Z");
}
