import { type ClientBase, escapeIdentifier } from "pg";

export interface ReplicatedColumn {
	name: string;
	/** As PostgreSQL writes it, such as `character varying(20)`. */
	type: string;
	/** Whether every database has the type under the same number, so that its binary form can be copied. */
	builtIn: boolean;
	/** Computed from other columns, stored or not: never replicated. */
	generated: boolean;
	/** Whether the application may write NULL: neither NOT NULL nor a CHECK that says as much. */
	nullable: boolean;
}

/** Where rows are stored: an ordinary table or a partition. */
export interface Leaf {
	/** Quoted, with its schema. */
	sql: string;
	/** Pages of the table itself. */
	pages: number;
	/** On disk, with what is stored out of line and without indexes. */
	bytes: number;
	estimatedRows: number;
}

export interface ReplicatedTable {
	schema: string;
	name: string;
	/** Quoted, with its schema. */
	sql: string;
	columns: ReplicatedColumn[];
	/**
	 * How changed rows are found on the other side: `key` by the primary key or the index chosen with REPLICA IDENTITY,
	 * `full` by all columns, since there is no such key or the table says REPLICA IDENTITY FULL.
	 */
	identity: "key" | "full";
	/** The index, and the constraint, behind `key`. */
	keyIndex?: string;
	/** A partition root; its partitions are not listed on their own. */
	partitioned: boolean;
	/** The table itself when it is not partitioned. */
	leaves: Leaf[];
}

/**
 * Ordinary and root partitioned tables that belong to the application, by schema and name. Left out: system schemas,
 * `deployment`, temporary, unlogged, foreign, members of extensions, partitions (they come with their root).
 */
export async function replicatedTables(client: ClientBase): Promise<ReplicatedTable[]> {
	const { rows: tables } = await client.query(TABLES);
	const { rows: leaves } = await client.query(LEAVES, [tables.map(({ oid }) => oid)]);
	const leavesOf = new Map<string, Leaf[]>();
	for (const { root, schema, name, ...sizes } of leaves) {
		const found = leavesOf.get(root) ?? [];
		leavesOf.set(root, [...found, { sql: qualifiedName(schema, name), ...sizes }]);
	}
	return tables.map(({ oid, schema, name, columns, keyIndex, byKey, partitioned }) => ({
		schema,
		name,
		sql: qualifiedName(schema, name),
		columns,
		identity: byKey ? "key" : "full",
		...(byKey && { keyIndex }),
		partitioned,
		leaves: leavesOf.get(oid) ?? [],
	}));
}

/** A name with its schema, quoted. */
export function qualifiedName(schema: string, name: string): string {
	return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}

/** A name with its schema as it is told to people: quoted only where it must be. */
export function shownName({ schema, name }: Pick<ReplicatedTable, "schema" | "name">): string {
	return qualifiedName(schema, name).replace(/"([a-z_][a-z0-9_]*)"/g, "$1");
}

const TABLES = `
	SELECT pg_class.oid::text, nspname AS schema, relname AS name, relkind = 'p' AS partitioned,
		key.name AS "keyIndex", key.name IS NOT NULL AND pg_class.relreplident <> 'f' AS "byKey",
		coalesce(columns.list, '[]') AS columns
	FROM pg_class
	JOIN pg_namespace ON pg_namespace.oid = relnamespace
	LEFT JOIN LATERAL (
		SELECT index.relname AS name
		FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
		WHERE indrelid = pg_class.oid AND indisvalid AND indimmediate
			AND CASE pg_class.relreplident WHEN 'i' THEN indisreplident ELSE indisprimary END
	) AS key ON true
	LEFT JOIN (
		SELECT attrelid, json_agg(json_build_object(
			'name', attname,
			'type', format_type(atttypid, atttypmod),
			-- From this number on, types are made in the database itself.
			'builtIn', atttypid < 16384,
			'generated', attgenerated <> '',
			'nullable', NOT attnotnull AND filled.attnum IS NULL
		) ORDER BY attnum) AS list
		FROM pg_attribute
		LEFT JOIN (
			SELECT DISTINCT conrelid AS attrelid, conkey[1] AS attnum
			FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
			WHERE contype = 'c' AND conenforced AND cardinality(conkey) = 1
				AND pg_get_expr(conbin, conrelid) = format('(%I IS NOT NULL)', attname)
		) AS filled USING (attrelid, attnum)
		WHERE attnum > 0 AND NOT attisdropped
		GROUP BY attrelid
	) AS columns ON columns.attrelid = pg_class.oid
	WHERE relkind IN ('r', 'p') AND relpersistence = 'p' AND NOT relispartition
		AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'deployment')
		AND NOT EXISTS (
			SELECT FROM pg_depend
			WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND objsubid = 0 AND deptype = 'e'
		)
	ORDER BY nspname COLLATE "C", relname COLLATE "C"`;

const LEAVES = `
	WITH RECURSIVE member AS (
		SELECT oid AS root, oid FROM unnest($1::oid[]) AS oid
		UNION ALL
		SELECT root, inhrelid
		FROM member JOIN pg_inherits ON inhparent = member.oid JOIN pg_class ON pg_class.oid = inhrelid
		WHERE relispartition
	)
	SELECT root::text, nspname AS schema, relname AS name, pages::float8 AS pages,
		coalesce(pg_table_size(pg_class.oid), 0)::float8 AS bytes,
		round(CASE
			WHEN reltuples > 0 AND relpages > 0 THEN reltuples::float8 / relpages * pages
			-- Never analysed, or when it was empty.
			ELSE pg_stat_get_live_tuples(pg_class.oid)
		END) AS "estimatedRows"
	FROM member
	JOIN pg_class USING (oid)
	JOIN pg_namespace ON pg_namespace.oid = relnamespace
	CROSS JOIN LATERAL (
		SELECT coalesce(pg_relation_size(pg_class.oid), 0) / current_setting('block_size')::integer AS pages
	) AS size
	WHERE relkind = 'r' AND relpersistence = 'p'
	ORDER BY nspname COLLATE "C", relname COLLATE "C"`;
