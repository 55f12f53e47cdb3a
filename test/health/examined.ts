import { type Connection, withClient } from "../../components/database/connection";
import type { HealthLimits } from "../../components/health/limits";
import type { HealthSubject } from "../../components/health/subject";

/** Limits that no check reaches by itself. */
export const LIMITS: HealthLimits = {
	slowConnectionMs: 60_000,
	slowRequestMs: 60_000,
	slowStatementMs: 60_000,
	slowStatementFailMs: 120_000,
	lagWarningBytes: 1 << 30,
	lagWarningSeconds: 60,
	lagFailSeconds: 120,
	connectionsWarningPercent: 80,
	connectionsFailPercent: 95,
};

/** Lets the server's statistics of statements be read in its own database, as the deployment does. */
export async function countStatements(administrator: Connection): Promise<void> {
	await withClient(administrator, { applicationName: "test" }, (client) =>
		client.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements"),
	);
}

/** What is to be examined of a database whose owner is its application as well. */
export function subjectOf(administrator: Connection, owner: Connection): HealthSubject {
	return {
		statistics: administrator,
		application: owner,
		owner,
		migrations: {},
		paths: ["/cameras?limit=1"],
		limits: LIMITS,
	};
}
