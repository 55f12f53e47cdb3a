import type { Client, ClientBase } from "pg";
import { error, type Finding } from "./finding";
import { shownName } from "./tables";

export interface RowSecurityOptions {
	/** The live database and the idle one, as administrators of their servers, which may be one. */
	source: Client;
	target: Client;
	/** Whether a copy is still to be made. */
	copying: boolean;
	/** The role that rows are copied as; without it, row security counts as hiding rows from it. */
	copyRole?: string;
}

/** Tables whose row security would hide rows from the copy, or refuse what is replicated. */
export async function rowSecurityFindings({
	source,
	target,
	copying,
	copyRole,
}: RowSecurityOptions): Promise<Finding[]> {
	const live = await securedTables(source);
	const hidden = copying && !(await seesAllRows(source, copyRole)) ? live : [];
	const refusing = new Set(
		[...live, ...(await securedTables(target))]
			.filter(({ refusesOwner }) => refusesOwner)
			.map(({ shown }) => shown),
	);
	return [
		...hidden.map(({ shown }) =>
			error(
				`row security of table ${shown} hides rows from the role that copies them`,
				`give ${copyRole === undefined ? "that role" : `role ${copyRole}`} BYPASSRLS on the live colour's server`,
			),
		),
		...[...refusing].map((shown) =>
			error(
				`table ${shown} forces row security on its owner, as whom changes are replicated: PostgreSQL refuses that`,
				`bring ALTER TABLE ${shown} NO FORCE ROW LEVEL SECURITY in a release before, or give its owner BYPASSRLS`,
			),
		),
	];
}

interface SecuredTable {
	shown: string;
	refusesOwner: boolean;
}

async function securedTables(client: ClientBase): Promise<SecuredTable[]> {
	const { rows } = await client.query(
		`SELECT nspname AS schema, relname AS name,
			relforcerowsecurity AND NOT rolsuper AND NOT rolbypassrls AS "refusesOwner"
		FROM pg_class
		JOIN pg_namespace ON pg_namespace.oid = relnamespace
		JOIN pg_roles ON pg_roles.oid = relowner
		WHERE relkind IN ('r', 'p') AND relrowsecurity
			AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'deployment')
		ORDER BY nspname COLLATE "C", relname COLLATE "C"`,
	);
	return rows.map(({ schema, name, refusesOwner }) => ({ shown: shownName({ schema, name }), refusesOwner }));
}

async function seesAllRows(client: ClientBase, role: string | undefined): Promise<boolean> {
	const { rows } = await client.query(
		"SELECT coalesce(bool_or(rolsuper OR rolbypassrls), false) AS all FROM pg_roles WHERE rolname = $1",
		[role],
	);
	return rows[0].all;
}
