import { type Connection, withClient } from "../database/connection";

/** `silenceMs`: what a server that stands still has beyond a statement's own timeout; both in milliseconds. */
const LIMITS = { statementTimeoutMs: 30_000, silenceMs: 5000 };

/**
 * Works on the catalog. A server that no longer answers at all is given up as well: it cannot end a statement by itself.
 *
 * @param purpose shown in pg_stat_activity
 */
export function withCatalog<T>(
	catalog: Connection,
	purpose: string,
	work: Parameters<typeof withClient<T>>[2],
	{ statementTimeoutMs, silenceMs } = LIMITS,
): Promise<T> {
	const queryTimeoutMs = statementTimeoutMs + silenceMs;
	return withClient(catalog, { applicationName: purpose, statementTimeoutMs, queryTimeoutMs }, work);
}
