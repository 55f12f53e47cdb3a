import { type Connection, withClient } from "../database/connection";
import { type CheckResult, judge, rounded } from "./check-result";

const TIMEOUT_MS = 3000;

/**
 * Connects as the service does and asks for an answer.
 *
 * @throws Error when there is none
 */
export async function checkConnectivity(
	application: Connection,
	{ slowConnectionMs }: { slowConnectionMs: number },
): Promise<CheckResult> {
	const started = performance.now();
	const session = {
		applicationName: "deployment-health",
		connectTimeoutMs: TIMEOUT_MS,
		statementTimeoutMs: TIMEOUT_MS,
		queryTimeoutMs: TIMEOUT_MS,
	};
	await withClient(application, session, (client) => client.query("SELECT 1"));
	const ms = rounded(performance.now() - started);
	const status = judge(ms, { warning: slowConnectionMs, fail: Number.POSITIVE_INFINITY });
	const { user, host, port, database } = application;
	const slow =
		status === "PASS" ? "" : `, which is slow (from ${slowConnectionMs} ms): look at the server's load`;
	return {
		check: "database_connectivity",
		status,
		figure: ms,
		unit: "ms",
		detail: `${user}@${host}:${port}/${database} connects and answers${slow}`,
	};
}
