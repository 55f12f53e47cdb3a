import type { ClientBase } from "pg";
import { error, type Finding, note } from "./finding";
import { qualifiedName, type ReplicatedTable, shownName } from "./tables";

/** Whether changed rows of each table can be found on the other side. */
export async function identityFindings(
	client: ClientBase,
	tables: readonly ReplicatedTable[],
): Promise<Finding[]> {
	const keyless = tables.filter(({ identity }) => identity === "full");
	const incomparable = await columnsWithoutEquality(client, keyless);
	return [
		...keyless.flatMap((table) => keylessFindings(table, incomparable.get(table.sql) ?? [])),
		...(await refusedIdentities(client, tables)),
		...(await generatedKeys(client, tables)),
	];
}

function keylessFindings(table: ReplicatedTable, incomparable: string[]): Finding[] {
	const shown = shownName(table);
	const generated = table.columns.filter((column) => column.generated).map(({ name }) => name);
	const mend = "give it a primary key in a release before";
	return [
		note(
			`table ${shown} has no primary key that replication could use: REPLICA IDENTITY FULL is set on it for the ` +
				"deployment, so that each changed row is looked for by all its columns",
		),
		...(generated.length > 0
			? [
					error(
						`table ${shown} has no primary key but generated columns (${generated.join(", ")}), which do not take part in ` +
							"replication: the live release could not change its rows any more",
						mend,
					),
				]
			: []),
		...(incomparable.length > 0
			? [
					error(
						`table ${shown} has no primary key, and its rows cannot be looked for by all columns, since there is no ` +
							`equality for the types of ${incomparable.join(", ")}`,
						mend,
					),
				]
			: []),
	];
}

/** By table: the columns for whose type PostgreSQL knows no equality, itself or something inside it. */
async function columnsWithoutEquality(
	client: ClientBase,
	tables: readonly ReplicatedTable[],
): Promise<Map<string, string[]>> {
	const { rows } = await client.query<{ sql: string; columns: string[] }>(
		`WITH RECURSIVE part (top, type) AS (
			SELECT DISTINCT atttypid, atttypid FROM pg_attribute WHERE attrelid = ANY ($1::text[]::regclass[]) AND attnum > 0
			UNION
			SELECT top, inside.type
			FROM part JOIN pg_type ON pg_type.oid = part.type
			CROSS JOIN LATERAL (
				SELECT typbasetype WHERE typtype = 'd'
				UNION ALL
				SELECT typelem WHERE typsubscript = 'array_subscript_handler'::regproc
				UNION ALL
				SELECT atttypid FROM pg_attribute WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped
			) AS inside (type)
		), comparable AS (
			SELECT opcintype AS type FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod
			WHERE opcdefault AND amname IN ('btree', 'hash')
		), incomparable AS (
			SELECT top FROM part JOIN pg_type ON pg_type.oid = part.type
			WHERE typtype = 'b' AND typsubscript <> 'array_subscript_handler'::regproc
				AND pg_type.oid NOT IN (SELECT type FROM comparable)
				AND NOT EXISTS (
					SELECT FROM pg_cast WHERE castsource = pg_type.oid AND castmethod = 'b' AND castcontext = 'i'
						AND casttarget IN (SELECT type FROM comparable)
				)
		)
		SELECT name AS sql, array_agg(attname::text ORDER BY attnum) AS columns
		FROM unnest($1::text[]) AS name JOIN pg_attribute ON attrelid = name::regclass
		WHERE attnum > 0 AND NOT attisdropped AND atttypid IN (SELECT top FROM incomparable)
		GROUP BY name`,
		[tables.map(({ sql }) => sql)],
	);
	return new Map(rows.map(({ sql, columns }) => [sql, columns]));
}

/** Tables and partitions whose own setting would have the live release's changes refused once they are published. */
async function refusedIdentities(client: ClientBase, tables: readonly ReplicatedTable[]): Promise<Finding[]> {
	const members = tables.flatMap((table) =>
		table.partitioned
			? [table, ...table.leaves].map(({ sql }) => ({ table, sql }))
			: [{ table, sql: table.sql }],
	);
	const { rows } = await client.query<{ schema: string; name: string; identity: string; root: string }>(
		`SELECT nspname AS schema, member.relname AS name, member.relreplident AS identity,
			root.relreplident AS root
		FROM unnest($1::regclass[], $2::regclass[]) WITH ORDINALITY AS pair (root, member, position)
		JOIN pg_class AS root ON root.oid = pair.root
		JOIN pg_class AS member ON member.oid = pair.member
		JOIN pg_namespace ON pg_namespace.oid = member.relnamespace
		WHERE member.relreplident = 'n' OR (member.relreplident <> root.relreplident AND root.relreplident <> 'f')
		ORDER BY position`,
		[members.map(({ table }) => table.sql), members.map(({ sql }) => sql)],
	);
	return rows.map(({ schema, name, identity, root }) => {
		const shown = shownName({ schema, name });
		return identity === "n"
			? error(
					`table ${shown} has REPLICA IDENTITY NOTHING, with which changes of its rows cannot be replicated`,
					`bring ALTER TABLE ${shown} REPLICA IDENTITY DEFAULT in a release before`,
				)
			: error(
					`partition ${shown} has REPLICA IDENTITY ${IDENTITIES[identity]}, its partitioned table ${IDENTITIES[root]}`,
					"give both the same in a release before",
				);
	});
}

const IDENTITIES: Record<string, string> = {
	d: "DEFAULT",
	i: "USING INDEX",
	f: "FULL",
	n: "NOTHING",
};

async function generatedKeys(client: ClientBase, tables: readonly ReplicatedTable[]): Promise<Finding[]> {
	const keyed = tables.filter(({ keyIndex }) => keyIndex !== undefined);
	const { rows } = await client.query<{ position: number; name: string }>(
		`SELECT position::integer, attname AS name
		FROM unnest($1::regclass[], $2::regclass[]) WITH ORDINALITY AS key (owner, index, position)
		JOIN pg_index ON indexrelid = key.index
		JOIN pg_attribute ON attrelid = owner AND attnum = ANY (indkey) AND attgenerated <> ''
		ORDER BY position, attnum`,
		[keyed.map(({ sql }) => sql), keyed.map(({ schema, keyIndex }) => qualifiedName(schema, keyIndex!))],
	);
	return rows.map(({ position, name }) =>
		error(
			`the key of table ${shownName(keyed[position - 1]!)} holds the generated column ${name}, which does not take part in replication`,
			"give it a key of ordinary columns in a release before",
		),
	);
}
