import type { ClientBase } from "pg";
import type { Destruction } from "./destruction";

export interface Column {
	/** Quoted. */
	name: string;
	type: string;
	notNull: boolean;
	/** Position in the primary key, or undefined. */
	keyPosition?: number;
	/** Whether it is filled by a sequence of its own. */
	sequence: boolean;
}

/** A table of which rows or columns have to be saved. */
export interface TableToSave {
	/** Quoted, with its schema. */
	name: string;
	/** All columns that hold data of their own, so none that are generated. */
	columns: Column[];
	/** Quoted names of the columns that go or are rewritten; undefined when whole rows are saved. */
	lostColumns?: string[];
	/** Whether all its rows go, so that putting them back means inserting them. */
	gone: boolean;
}

interface Loss {
	columns: Set<string>;
	wholeRows: boolean;
	gone: boolean;
}

/**
 * Finds the tables behind destructions; those that do not exist have nothing to lose. A table comes after those that
 * its foreign keys refer to, so that this is also the order in which to put rows back.
 */
export async function tablesToSave(client: ClientBase, destructions: Destruction[]): Promise<TableToSave[]> {
	const losses = new Map<string, Loss>();
	const lose = (oid: string, loss: { wholeRows?: boolean; gone?: boolean }, columns: string[] = []) => {
		const known = losses.get(oid) ?? { columns: new Set(), wholeRows: false, gone: false };
		losses.set(oid, {
			columns: new Set([...known.columns, ...columns]),
			wholeRows: known.wholeRows || loss.wholeRows === true,
			gone: known.gone || loss.gone === true,
		});
	};
	for (const destruction of destructions) {
		if (destruction.what === "rows") {
			const { table, gone, cascade } = destruction;
			for (const oid of await tableOids(client, table)) lose(oid, { wholeRows: true, gone });
			const referring = cascade ? await referringTables(client, table, gone) : [];
			for (const oid of referring) lose(oid, { wholeRows: true, gone });
		} else if (destruction.what === "values") {
			for (const oid of await tableOids(client, destruction.table)) lose(oid, { wholeRows: true });
		} else if (destruction.what === "columns") {
			for (const oid of await tableOids(client, destruction.table)) lose(oid, {}, destruction.columns);
		} else if (destruction.what === "schema") {
			for (const oid of await tablesOfSchema(client, destruction.schema)) {
				lose(oid, { wholeRows: true, gone: true });
			}
		}
	}
	const tables: TableToSave[] = [];
	for (const oid of await referredFirst(client, [...losses.keys()])) {
		tables.push(await describeTable(client, oid, losses.get(oid)!));
	}
	return tables;
}

async function referredFirst(client: ClientBase, oids: string[]): Promise<string[]> {
	const { rows } = await client.query(
		`SELECT oid::text, ARRAY(
				SELECT confrelid::text FROM pg_constraint
				WHERE conrelid = pg_class.oid AND contype = 'f' AND confrelid <> conrelid AND confrelid = ANY ($1::oid[])
			) AS "refersTo"
		FROM pg_class WHERE oid = ANY ($1::oid[]) ORDER BY relname, oid`,
		[oids],
	);
	const waiting: { oid: string; refersTo: string[] }[] = rows;
	const ordered: string[] = [];
	while (waiting.length > 0) {
		const next = waiting.findIndex(({ refersTo }) => refersTo.every((other) => ordered.includes(other)));
		// Tables that refer to each other in a circle have no order; then any is as good as another.
		ordered.push(...waiting.splice(Math.max(next, 0), 1).map(({ oid }) => oid));
	}
	return ordered;
}

async function tableOids(client: ClientBase, name: string): Promise<string[]> {
	const { rows } = await client.query(
		"SELECT oid::text FROM pg_class WHERE oid = to_regclass($1) AND relkind IN ('r', 'p')",
		[name],
	);
	return rows.map((row) => row.oid);
}

async function tablesOfSchema(client: ClientBase, schema: string): Promise<string[]> {
	const { rows } = await client.query(
		`SELECT oid::text FROM pg_class
		WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
			AND relkind IN ('r', 'p') AND NOT relispartition`,
		[schema],
	);
	return rows.map((row) => row.oid);
}

/** Tables whose rows go, or change, when rows of `name` go: all that refer to it for TRUNCATE, by action for DELETE. */
async function referringTables(client: ClientBase, name: string, truncated: boolean): Promise<string[]> {
	const { rows } = await client.query(
		`WITH RECURSIVE referring AS (
			SELECT to_regclass($1)::oid AS oid, 'c'::"char" AS action
			UNION
			SELECT conrelid, confdeltype FROM pg_constraint JOIN referring ON confrelid = referring.oid
			WHERE contype = 'f' AND ($2 OR (confdeltype IN ('c', 'n', 'd') AND referring.action = 'c'))
		)
		SELECT DISTINCT oid::text FROM referring WHERE oid <> to_regclass($1)`,
		[name, truncated],
	);
	return rows.map((row) => row.oid);
}

async function describeTable(client: ClientBase, oid: string, loss: Loss): Promise<TableToSave> {
	const { rows: names } = await client.query(
		`SELECT format('%I.%I', nspname, relname) AS name
		FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = $1`,
		[oid],
	);
	const { rows } = await client.query(
		`SELECT attname AS plain, quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type,
			attnotnull AS "notNull", array_position(key.conkey, attnum) AS "keyPosition",
			pg_get_serial_sequence($2, attname) IS NOT NULL AS sequence
		FROM pg_attribute
		LEFT JOIN pg_constraint AS key ON key.conrelid = attrelid AND key.contype = 'p'
		WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
		ORDER BY attnum`,
		[oid, names[0].name],
	);
	const columns = rows.map(({ plain: _, keyPosition, ...column }) => ({
		...column,
		...(keyPosition !== null && { keyPosition }),
	}));
	const lostColumns = rows.filter((row) => loss.columns.has(row.plain)).map((row) => row.name);
	return {
		name: names[0].name,
		columns,
		...(!loss.wholeRows && { lostColumns }),
		gone: loss.gone,
	};
}
