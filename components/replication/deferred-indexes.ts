import type { Client } from "pg";
import { COPY_APPLICATION } from "./copy-sessions";
import { type Node, withNode } from "./node";
import { type ReplicatedTable, replicatedTables } from "./tables";

/**
 * An index that is away while rows come in: adding each of them to it takes longer, and leaves it larger, than building
 * it from all of them.
 */
export interface DeferredIndex {
	/** With its schema, quoted. */
	name: string;
	/** Makes the index; that of a partitioned table without those of the partitions. */
	definition: string;
	/** Makes it that of its primary key or unique constraint, if it is. */
	constraint: string | null;
	/** The index of the partitioned table that this one is part of. */
	parent: string | null;
	partitioned: boolean;
	/** Of the table that it is on. */
	tableBytes: number;
}

/**
 * In the target itself, written together with the dropping and removed together with the last step of putting back:
 * whatever becomes of this process, the indexes are there, or it is known what they were.
 */
const RECORD = "deployment.deferred_indexes";

/**
 * Drops the indexes of tables and their partitions that can be put back whole: nothing refers to them or to their
 * constraints, they identify no rows, and their definition says everything: it leaves out comments, tablespaces,
 * statistics targets and the mark of CLUSTER. The others stay, with all that they are part of.
 */
export async function deferIndexes(target: Client, tables: readonly ReplicatedTable[]): Promise<void> {
	await target.query("BEGIN");
	await target.query(
		`CREATE SCHEMA IF NOT EXISTS deployment;
		CREATE TABLE IF NOT EXISTS ${RECORD} (
			name text PRIMARY KEY, "table" text NOT NULL, definition text NOT NULL, "constraint" text, parent text,
			partitioned boolean NOT NULL
		)`,
	);
	// Of an interrupted copy; they are not yet what they were.
	const { rows: built } = await target.query<{ name: string }>(
		`SELECT name FROM ${RECORD} WHERE to_regclass(name) IS NOT NULL`,
	);
	if (built.length > 0) await target.query(`DROP INDEX ${built.map(({ name }) => name).join(", ")}`);
	const { rows } = await target.query<{ drop: string | null }>(DEFERRABLE, [
		tables.flatMap(({ sql, leaves }) => [sql, ...leaves.map((leaf) => leaf.sql)]),
	]);
	const drops = rows.flatMap((row) => (row.drop === null ? [] : [row.drop]));
	await target.query([...drops, "COMMIT"].join("; "));
}

/** Writes down what can be dropped, and returns how; what goes together with another is dropped by no statement. */
const DEFERRABLE = `
	WITH RECURSIVE relation AS (
		SELECT to_regclass(name)::oid AS oid FROM unnest($1::text[]) AS name
		UNION
		SELECT inhrelid FROM pg_inherits JOIN relation ON inhparent = relation.oid
	), candidate AS (
		SELECT indexrelid AS oid, pg_index.*, relkind = 'I' AS partitioned, reltablespace, quote_ident(relname) AS bare_name,
			(SELECT inhparent FROM pg_inherits WHERE inhrelid = indexrelid) AS parent,
			own.oid AS constraint_oid, own.conname, own.condeferrable, own.contype
		FROM pg_index
		JOIN pg_class ON pg_class.oid = indexrelid
		LEFT JOIN pg_constraint AS own ON own.conindid = indexrelid AND own.contype IN ('p', 'u')
		WHERE indrelid IN (SELECT oid FROM relation)
	), fixed AS (
		SELECT oid FROM candidate
		WHERE NOT indisvalid OR indisreplident OR indisclustered OR indisexclusion OR condeferrable OR reltablespace <> 0
			OR obj_description(oid, 'pg_class') IS NOT NULL
			OR obj_description(constraint_oid, 'pg_constraint') IS NOT NULL
			OR EXISTS (SELECT FROM pg_constraint WHERE conindid = candidate.oid AND contype NOT IN ('p', 'u'))
			OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = candidate.oid AND attstattarget >= 0)
			OR EXISTS (SELECT FROM pg_depend WHERE deptype NOT IN ('P', 'S') AND objid <> candidate.oid
				AND (refclassid, refobjid) IN (('pg_class'::regclass, candidate.oid), ('pg_constraint'::regclass, constraint_oid)))
			OR EXISTS (SELECT FROM pg_depend WHERE deptype IN ('e', 'x')
				AND (classid, objid) IN (('pg_class'::regclass, candidate.oid), ('pg_constraint'::regclass, constraint_oid)))
	), kept AS (
		SELECT oid FROM fixed
		UNION
		SELECT other.oid FROM kept
		JOIN candidate AS one USING (oid)
		JOIN candidate AS other ON other.parent = one.oid OR one.parent = other.oid
	), recorded AS (
		INSERT INTO ${RECORD}
		SELECT oid::regclass::text, indrelid::regclass::text, pg_get_indexdef(oid),
			CASE
				WHEN constraint_oid IS NULL THEN NULL
				WHEN partitioned THEN format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', indrelid::regclass, conname,
					pg_get_constraintdef(constraint_oid))
				ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %s', indrelid::regclass, conname,
					CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, bare_name)
			END,
			parent::regclass::text, partitioned
		FROM candidate WHERE oid NOT IN (SELECT oid FROM kept)
		RETURNING name
	)
	SELECT CASE
		WHEN parent IS NOT NULL THEN NULL
		WHEN constraint_oid IS NULL THEN format('DROP INDEX %s', name)
		ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname)
	END AS drop
	FROM recorded JOIN candidate ON oid = to_regclass(name)`;

/** What was dropped from a target, that of the largest table first. */
export async function deferredIndexes(target: Client): Promise<DeferredIndex[]> {
	const { rows } = await target.query<DeferredIndex>(
		`SELECT name, definition, "constraint", parent, partitioned,
			coalesce(pg_relation_size(to_regclass("table")), 0)::float8 AS "tableBytes"
		FROM ${RECORD} ORDER BY "tableBytes" DESC, name`,
	);
	return rows;
}

/** Makes indexes that were built what they were: those of constraints, and parts of the index of a partitioned table. */
export async function joinIndexes(target: Client, indexes: readonly DeferredIndex[]): Promise<void> {
	const statements = [
		...indexes.flatMap(({ partitioned, constraint, definition }) => {
			if (constraint !== null) return [constraint];
			return partitioned ? [definition] : [];
		}),
		...indexes.flatMap(({ name, parent }) =>
			parent === null ? [] : [`ALTER INDEX ${parent} ATTACH PARTITION ${name}`],
		),
		`DROP TABLE ${RECORD}`,
	];
	await target.query(["BEGIN", ...statements, "COMMIT"].join("; "));
}

/**
 * Gives the target of a copy that was killed its indexes and constraints back, so that its schema can be looked at and
 * migrated; the rows that had come in are removed.
 *
 * @param timeoutMs milliseconds for each statement
 * @returns whether there was anything to put back
 */
export async function putIndexesBack(target: Node, timeoutMs: number): Promise<boolean> {
	return withNode(
		target,
		COPY_APPLICATION,
		async (client) => {
			const { rows } = await client.query("SELECT FROM pg_class WHERE oid = to_regclass($1)", [RECORD]);
			if (rows.length === 0) return false;
			await client.query("SET session_replication_role = replica");
			const tables = await replicatedTables(client);
			if (tables.length > 0) await client.query(`TRUNCATE ${tables.map(({ sql }) => sql).join(", ")}`);
			const indexes = await deferredIndexes(client);
			for (const { name, partitioned, definition } of indexes) {
				if (partitioned) continue;
				await client.query(`DROP INDEX IF EXISTS ${name}`);
				await client.query(definition);
			}
			await joinIndexes(client, indexes);
			return true;
		},
		timeoutMs,
	);
}
