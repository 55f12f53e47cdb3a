import type { ClientBase } from "pg";

/**
 * The tables whose every change is in the log, with the columns of which only the hash is there. Here and not in the
 * catalog: whoever changes a table behind the log could also take it off such a list.
 */
export const AUDITED: Readonly<Record<string, readonly string[]>> = {
	blue_green_deployments: [],
	deployment_migrations: ["migration_sql", "rollback_sql"],
	deployment_pipelines: [],
	deployment_rollbacks: [],
	deployment_stages: [],
	environment_configs: [],
};

/** Triggers without which the record could be changed unseen, by table. */
const TRIGGERS: Readonly<Record<string, readonly string[]>> = {
	audit_log: ["chain_audit", "refuse_change"],
	deployment_execution_logs: ["refuse_change", "refuse_truncate"],
	...Object.fromEntries(
		Object.keys(AUDITED).map((table) => [
			table,
			["refuse_truncate", "write_audit", ...(/^deployment_/.test(table) ? ["keep_record"] : [])],
		]),
	),
};

/** What keeps the record and is not there, or turned off. */
export async function missingGuards(client: ClientBase): Promise<string[]> {
	return [...(await missingTriggers(client)), ...(await rightsTooMany(client))];
}

/** Roles other than their owner that may change what can only be added to. */
async function rightsTooMany(client: ClientBase): Promise<string[]> {
	const { rows } = await client.query<{ table: string; role: string; right: string }>(
		`SELECT relname AS table, CASE grantee WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(grantee) END AS role,
			privilege_type AS right
		FROM pg_class CROSS JOIN aclexplode(relacl)
		WHERE relnamespace = 'public'::regnamespace AND relname IN ('audit_log', 'deployment_execution_logs')
			AND grantee <> relowner AND privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
		ORDER BY 1, 2, 3`,
	);
	return rows.map(({ table, role, right }) => `${table}: ${role} has the right to ${right}`);
}

async function missingTriggers(client: ClientBase): Promise<string[]> {
	const { rows } = await client.query<{ table: string; trigger: string }>(
		`SELECT relname AS table, tgname AS trigger FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
		WHERE relnamespace = 'public'::regnamespace AND tgenabled IN ('O', 'A')
			AND tgfoid::regproc::text = replace(tgname, 'refuse_truncate', 'refuse_change')`,
	);
	const present = new Set(rows.map(({ table, trigger }) => `${table}.${trigger}`));
	return Object.entries(TRIGGERS)
		.flatMap(([table, triggers]) => triggers.map((trigger) => ({ table, trigger })))
		.filter(({ table, trigger }) => !present.has(`${table}.${trigger}`))
		.map(({ table, trigger }) => `${table}: the trigger ${trigger} is gone or turned off`);
}
