import { type Connection, withClient } from "../database/connection";
import { type CheckResult, judge, rounded } from "./check-result";

const TIMEOUT_MS = 10_000;

interface Use {
	of: string;
	used: number;
	limit: number;
}

/**
 * Counts the connections in use, of those that the server has for applications and of those that the application's role
 * may hold; the one that is nearer to its end is judged.
 *
 * @param options.since connections of the role that are older are those of a service that is about to end
 */
export async function checkConnections(
	statistics: Connection,
	options: { role: string; since?: Date },
	limits: { connectionsWarningPercent: number; connectionsFailPercent: number },
): Promise<CheckResult> {
	const uses = await readUses(statistics, options);
	const percent = ({ used, limit }: Use) => (limit === 0 ? 100 : (used / limit) * 100);
	const worst = uses.reduce((left, right) => (percent(right) > percent(left) ? right : left));
	const figure = rounded(percent(worst));
	const { connectionsWarningPercent: warning, connectionsFailPercent: fail } = limits;
	const status = judge(figure, { warning, fail });
	const told = uses.map(
		({ of, used, limit }) => `${used} of ${limit} of ${of} are used, ${limit - used} are left`,
	);
	const mend = status === "PASS" ? "" : "; lower poolSize, end what is idle, or raise maxConnections";
	return { check: "connections", status, figure, unit: "%", detail: told.join("; ") + mend };
}

async function readUses(
	statistics: Connection,
	{ role, since }: { role: string; since?: Date },
): Promise<Use[]> {
	const session = {
		applicationName: "deployment-health",
		connectTimeoutMs: TIMEOUT_MS,
		statementTimeoutMs: TIMEOUT_MS,
		queryTimeoutMs: TIMEOUT_MS,
	};
	const row = await withClient(statistics, session, async (client) => {
		// Replication and background workers have slots of their own.
		const { rows } = await client.query(
			`SELECT count(*)::integer AS used,
				count(*) FILTER (WHERE usename = $1 AND ($2::timestamptz IS NULL OR backend_start >= $2))::integer AS role_used,
				current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
					- coalesce(current_setting('reserved_connections', true)::integer, 0) AS server_limit,
				(SELECT rolconnlimit FROM pg_roles WHERE rolname = $1) AS role_limit
			FROM pg_stat_activity WHERE backend_type = 'client backend'`,
			[role, since ?? null],
		);
		return rows[0];
	});
	if (row.role_limit === null) {
		throw new Error(`the server has no role ${role}: run the update again`);
	}
	const server = { of: "the server's connections", used: row.used, limit: row.server_limit };
	return row.role_limit < 0
		? [server]
		: [server, { of: `those of ${role}`, used: row.role_used, limit: row.role_limit }];
}
