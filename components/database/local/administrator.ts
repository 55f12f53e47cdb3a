import { type ClientBase, escapeIdentifier, escapeLiteral } from "pg";
import { keepMadeRoles } from "../administrator";
import { type Connection, withClient } from "../connection";
import { ADMINISTRATOR } from "./roles";

const RIGHTS = [
	"pg_monitor",
	"pg_signal_backend",
	"pg_read_all_data",
	"pg_checkpoint",
	"pg_create_subscription",
];

/**
 * Makes the role that a managed service gives in place of a superuser, with the rights that RDS gives its own, or sets
 * its password. Can be repeated.
 *
 * @throws Error when the server has databases that a superuser has made: the role could not act for their owners
 */
export async function ensureAdministrator(superuser: Connection): Promise<void> {
	const session = { applicationName: "deployment-server" };
	await withClient(superuser, session, async (client) => {
		// What follows holds a password: should it fail, the server's log must not quote it.
		await client.query("SET log_min_error_statement = panic");
		const { rows } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [ADMINISTRATOR]);
		if (rows.length === 0) {
			await refuseOthersDatabases(client);
			await create(client, superuser.password);
		}
		await client.query(
			`ALTER ROLE ${escapeIdentifier(ADMINISTRATOR)} PASSWORD ${escapeLiteral(superuser.password)}`,
		);
	});
	await withClient({ ...superuser, user: ADMINISTRATOR }, session, keepMadeRoles);
}

async function create(client: ClientBase, password: string): Promise<void> {
	const role = escapeIdentifier(ADMINISTRATOR);
	await client.query(
		`BEGIN;
		CREATE ROLE ${role} LOGIN CREATEROLE CREATEDB REPLICATION PASSWORD ${escapeLiteral(password)};
		GRANT ${RIGHTS.join(", ")} TO ${role} WITH ADMIN OPTION;
		GRANT SET ON PARAMETER session_replication_role TO ${role};
		CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
		COMMIT`,
	);
}

async function refuseOthersDatabases(client: ClientBase): Promise<void> {
	const { rows } = await client.query<{ name: string }>(
		"SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
	);
	if (rows.length > 0) {
		throw new Error(
			`withoutSuperuser can be set before a stack's first update only, and its server has ${rows.map(({ name }) => name).join(", ")} ` +
				"already: leave it out, or deploy a new stack with it",
		);
	}
}
