import type { ClientBase } from "pg";

/**
 * Lets the role that we are connected as act for the roles that it makes from now on: migrate their tables, apply
 * changes to them, connect to their databases. A superuser needs no such thing; on a managed service there is none, and
 * since PostgreSQL 16 whoever makes a role may give it away but not use it.
 *
 * Source: PostgreSQL 18, "createrole_self_grant".
 */
export async function keepMadeRoles(client: ClientBase): Promise<void> {
	const { rows } = await client.query<{ superuser: boolean }>(
		"SELECT rolsuper AS superuser FROM pg_roles WHERE rolname = current_user",
	);
	if (rows[0]?.superuser === false) {
		await client.query("ALTER ROLE CURRENT_USER SET createrole_self_grant = 'set, inherit'");
	}
}
