import type { Properties } from "../provider";
import { isGranted } from "./privileges";
import type { Session } from "./statement";
import { text, texts } from "./values";

/** What the server has of a grant: `privileges` (or `columns`), only where they differ from what is known. */
export async function readGranted(session: Session, grant: Properties): Promise<Properties> {
	const grantee = await granteeOid(session, text(grant, "role"));
	const objectType = text(grant, "objectType");
	if (objectType === "column") {
		return readColumns(session, grant, grantee);
	}
	const single = SINGLE_OBJECTS[objectType];
	const granted = single
		? [await readSingle(session, single.query, single.name(grant), grantee)]
		: await readObjects(session, grant, grantee);
	const different = granted.find((privileges) => !isGranted(privileges, grant, session.serverVersion));
	return different === undefined ? {} : { privileges: different };
}

/** The pseudo-role `public` is 0 in access lists. */
export async function granteeOid({ client }: Session, role: string): Promise<number> {
	if (role === "public") {
		return 0;
	}
	const { rows } = await client.query<{ oid: number }>(
		"SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1",
		[role],
	);
	if (rows[0] === undefined) {
		throw new Error(`role ${role} does not exist: create it first`);
	}
	return rows[0].oid;
}

interface SingleObject {
	query: string;
	name: (grant: Properties) => string;
}

const accessList = (list: string, table: string, name: string) =>
	`SELECT (pg_catalog.aclexplode(${list})).* FROM pg_catalog.${table} WHERE ${name} = $1`;

const SINGLE_OBJECTS: { [objectType: string]: SingleObject } = {
	database: {
		query: accessList("datacl", "pg_database", "datname"),
		name: (grant) => text(grant, "database"),
	},
	schema: { query: accessList("nspacl", "pg_namespace", "nspname"), name: (grant) => text(grant, "schema") },
	foreign_data_wrapper: {
		query: accessList("fdwacl", "pg_foreign_data_wrapper", "fdwname"),
		name: (grant) => texts(grant, "objects")[0] ?? "",
	},
	foreign_server: {
		query: accessList("srvacl", "pg_foreign_server", "srvname"),
		name: (grant) => texts(grant, "objects")[0] ?? "",
	},
};

async function readSingle(
	{ client }: Session,
	query: string,
	name: string,
	grantee: number,
): Promise<string[]> {
	const { rows } = await client.query<{ privilege: string }>(
		`SELECT DISTINCT privilege_type AS privilege FROM (${query}) AS entries WHERE grantee = $2`,
		[name, grantee],
	);
	return rows.map((row) => row.privilege);
}

const RELATION_KINDS: { [objectType: string]: string } = { table: "r", sequence: "S" };

/** The privileges on each object that the grant is about. */
async function readObjects({ client }: Session, grant: Properties, grantee: number): Promise<string[][]> {
	const kind = RELATION_KINDS[text(grant, "objectType")];
	const source =
		kind === undefined
			? "SELECT proname AS name, pronamespace AS namespace, proacl AS acl FROM pg_catalog.pg_proc"
			: "SELECT relname AS name, relnamespace AS namespace, relacl AS acl FROM pg_catalog.pg_class WHERE relkind = $3";
	const { rows } = await client.query<{ name: string; privileges: string[] }>(
		`SELECT objects.name, pg_catalog.array_remove(pg_catalog.array_agg(DISTINCT entries.privilege_type), NULL)
			AS privileges
		FROM (${source}) AS objects
		JOIN pg_catalog.pg_namespace ON pg_namespace.oid = objects.namespace
		LEFT JOIN LATERAL pg_catalog.aclexplode(objects.acl) AS entries ON entries.grantee = $1
		WHERE nspname = $2
		GROUP BY objects.name ORDER BY objects.name`,
		[grantee, text(grant, "schema"), ...(kind === undefined ? [] : [kind])],
	);
	const named = texts(grant, "objects");
	return rows
		.filter(({ name }) => named.length === 0 || named.includes(name))
		.map(({ privileges }) => privileges);
}

/** The columns on which the one privilege is really granted. */
async function readColumns({ client }: Session, grant: Properties, grantee: number): Promise<Properties> {
	const { rows } = await client.query<{ name: string }>(
		`SELECT DISTINCT attname AS name FROM pg_catalog.pg_class
		JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
		JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid
		CROSS JOIN LATERAL pg_catalog.aclexplode(attacl) AS entries
		WHERE nspname = $1 AND relname = $2 AND relkind = 'r'
			AND entries.grantee = $3 AND entries.privilege_type = $4`,
		[text(grant, "schema"), texts(grant, "objects")[0], grantee, texts(grant, "privileges")[0]],
	);
	const columns = texts(grant, "columns");
	const granted = columns.filter((column) => rows.some(({ name }) => name === column));
	return granted.length === columns.length ? {} : { columns: granted };
}
