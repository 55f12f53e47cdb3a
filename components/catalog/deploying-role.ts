import { type ClientBase, escapeIdentifier } from "pg";

/** Tables whose rows go on to change as a deployment does; each change is in the audit log. */
const CHANGED = [
	"deployment_pipelines",
	"deployment_stages",
	"deployment_migrations",
	"blue_green_deployments",
	"deployment_rollbacks",
	"environment_configs",
	"migration_targets",
	"color_releases",
];
const ADDED_TO = ["deployment_execution_logs", "deployment_health_checks"];
/** Migrations that were announced and never begun, and colours that are dropped. */
const DELETED_FROM = ["deployment_migrations", "color_releases"];

/**
 * Lets the role that deployments write into the catalog as do that and no more: it owns nothing, so that it can neither
 * change what the audit log has nor do away with the log. Run as the catalog's owner; can be repeated.
 */
export async function grantDeploying(client: ClientBase, role: string): Promise<void> {
	const to = escapeIdentifier(role);
	const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name");
	await client.query(
		`BEGIN;
		GRANT CONNECT ON DATABASE ${escapeIdentifier(rows[0]?.name ?? "")} TO ${to};
		GRANT USAGE ON SCHEMA public TO ${to};
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${to};
		GRANT INSERT, UPDATE ON ${CHANGED.join(", ")} TO ${to};
		GRANT INSERT ON ${ADDED_TO.join(", ")} TO ${to};
		GRANT DELETE ON ${DELETED_FROM.join(", ")} TO ${to};
		GRANT INSERT (kind, event) ON audit_log TO ${to};
		COMMIT`,
	);
}
