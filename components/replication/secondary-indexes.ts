import type { Client } from "pg";
import type { ReplicatedTable } from "./tables";

/** An index that can be made anew from its definition alone. */
export interface SecondaryIndex {
	/** With its schema, quoted. */
	name: string;
	/** Of a partitioned table's index: without those of the partitions. */
	definition: string;
	/** The index of the partitioned table that this one is part of. */
	parent: string | null;
	partitioned: boolean;
	valid: boolean;
	/** The table that it is on, quoted. */
	table: string;
	tableBytes: number;
}

/**
 * The indexes of tables and their partitions that back no constraint and identify no rows, and of which the definition
 * says everything: it leaves out comments, tablespaces, statistics targets, the mark of CLUSTER, and what depends on an
 * index or what it depends on besides. Those that do not fit stay where they are, with all that they are part of.
 */
export async function secondaryIndexes(
	client: Client,
	tables: readonly ReplicatedTable[],
): Promise<SecondaryIndex[]> {
	const { rows } = await client.query<SecondaryIndex & { tableBytes: string }>(
		`WITH RECURSIVE relation AS (
			SELECT to_regclass(name)::oid AS oid FROM unnest($1::text[]) AS name
			UNION
			SELECT inhrelid FROM pg_inherits JOIN relation ON inhparent = relation.oid
		), candidate AS (
			SELECT pg_index.*, (SELECT inhparent FROM pg_inherits WHERE inhrelid = indexrelid) AS parent
			FROM pg_index WHERE indrelid IN (SELECT oid FROM relation)
		), fixed AS (
			SELECT indexrelid AS oid FROM candidate JOIN pg_class ON pg_class.oid = indexrelid
			WHERE indisreplident OR indisclustered OR reltablespace <> 0
				OR obj_description(indexrelid, 'pg_class') IS NOT NULL
				OR EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
				OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = indexrelid AND attstattarget >= 0)
				OR EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = indexrelid
					AND deptype NOT IN ('P', 'S'))
				OR EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = indexrelid
					AND deptype IN ('e', 'x'))
		), kept AS (
			SELECT oid FROM fixed
			UNION
			SELECT other.indexrelid FROM candidate AS other JOIN candidate AS one
				ON other.parent = one.indexrelid OR one.parent = other.indexrelid
			JOIN kept ON kept.oid = one.indexrelid
		)
		SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition, parent::regclass::text AS parent,
			relkind = 'I' AS partitioned, indisvalid AS valid, indrelid::regclass::text AS "table",
			pg_relation_size(indrelid) AS "tableBytes"
		FROM candidate JOIN pg_class ON pg_class.oid = indexrelid
		WHERE indexrelid NOT IN (SELECT oid FROM kept)
		ORDER BY pg_relation_size(indrelid) DESC, name`,
		[tables.flatMap(({ sql, leaves }) => [sql, ...leaves.map((leaf) => leaf.sql)])],
	);
	return rows.map((row) => ({ ...row, tableBytes: Number(row.tableBytes) }));
}

/**
 * Drops from a target what its source has as well, so that it can be made again whatever becomes of this process, and
 * what is invalid there. An index that only the target has stays.
 */
export async function dropSecondaryIndexes(
	target: Client,
	tables: readonly ReplicatedTable[],
	wanted: readonly SecondaryIndex[],
): Promise<void> {
	const known = new Map(wanted.map(({ name, definition }) => [name, definition]));
	const names = (await secondaryIndexes(target, tables))
		.filter(({ name, parent, definition }) => parent === null && known.get(name) === definition)
		.map(({ name }) => name);
	if (names.length > 0) await target.query(`DROP INDEX ${names.join(", ")}`);
}

/** Of the indexes that a source has, those that its target lacks. */
export async function missingIndexes(
	target: Client,
	wanted: readonly SecondaryIndex[],
): Promise<SecondaryIndex[]> {
	const { rows } = await target.query<{ name: string }>(
		"SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL",
		[wanted.map(({ name }) => name)],
	);
	const missing = new Set(rows.map(({ name }) => name));
	return wanted.filter(({ name }) => missing.has(name));
}

/** Makes the indexes of partitioned tables out of those that their partitions have by now. */
export async function joinIndexes(target: Client, missing: readonly SecondaryIndex[]): Promise<void> {
	const statements = [
		...missing.filter(({ partitioned }) => partitioned).map(({ definition }) => definition),
		...missing.flatMap(({ name, parent }) =>
			parent === null ? [] : [`ALTER INDEX ${parent} ATTACH PARTITION ${name}`],
		),
	];
	// As one, for otherwise a process that is killed leaves the index of a partitioned table invalid.
	if (statements.length > 0) await target.query(["BEGIN", ...statements, "COMMIT"].join("; "));
}
