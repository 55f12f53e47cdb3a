import { type Client, escapeIdentifier } from "pg";
import { type Connection, withClient } from "../../../components/database/connection";

const INTERVAL_MS = 20;

interface TableContents {
	rows: string;
	checksum: string;
}

/**
 * Compares the full contents of all application tables that two databases have in common, by the columns that they have
 * in common. The side that follows may need a moment: the databases are compared until they are equal or the time is
 * over. The writers must have stopped.
 *
 * @param timeoutMs milliseconds
 * @returns a line for each table that differs; none when the colours are in step
 */
export async function compareColors(
	left: Connection,
	right: Connection,
	timeoutMs = 10_000,
): Promise<string[]> {
	const session = { applicationName: "workload-checker" };
	return withClient(left, session, (leftClient) =>
		withClient(right, session, async (rightClient) => {
			const tables = common(await columnsOf(leftClient), await columnsOf(rightClient));
			if (tables.size === 0) {
				return ["the databases have no table in common"];
			}
			const deadline = performance.now() + timeoutMs;
			for (;;) {
				const differences = await compareOnce(leftClient, rightClient, tables);
				if (differences.length === 0 || performance.now() > deadline) {
					return differences;
				}
				await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
			}
		}),
	);
}

async function compareOnce(left: Client, right: Client, tables: Map<string, string[]>): Promise<string[]> {
	const differences: string[] = [];
	for (const [table, columns] of tables) {
		const [ours, theirs] = await Promise.all([
			contentsOf(left, table, columns),
			contentsOf(right, table, columns),
		]);
		if (ours.rows !== theirs.rows) {
			differences.push(`${table} has ${ours.rows} rows on one side and ${theirs.rows} on the other`);
		} else if (ours.checksum !== theirs.checksum) {
			differences.push(`${table} has ${ours.rows} rows on both sides, with different values`);
		}
	}
	return differences;
}

/** Columns by table, both quoted. Partitions come with their root. */
async function columnsOf(client: Client): Promise<Map<string, string[]>> {
	const { rows } = await client.query<{ table: string; columns: string[] }>(`
		SELECT format('%I.%I', nspname, relname) AS table, array_agg(attname::text ORDER BY attname) AS columns
		FROM pg_class
		JOIN pg_namespace ON pg_namespace.oid = relnamespace
		JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
		WHERE relkind IN ('r', 'p') AND NOT relispartition AND relpersistence = 'p'
			AND nspname !~ '^(pg_|information_schema$|deployment$)'
		GROUP BY 1
		ORDER BY 1`);
	return new Map(rows.map(({ table, columns }) => [table, columns]));
}

function common(left: Map<string, string[]>, right: Map<string, string[]>): Map<string, string[]> {
	return new Map(
		[...left]
			.filter(([table]) => right.has(table))
			.map(([table, columns]) => [table, columns.filter((column) => right.get(table)!.includes(column))]),
	);
}

/** The checksum is a sum over the rows, so that it depends on how often each is there but not on their order. */
async function contentsOf(client: Client, table: string, columns: string[]): Promise<TableContents> {
	const row = `ROW(${columns.map(escapeIdentifier).join(", ")})::text`;
	const { rows } = await client.query<TableContents>(
		`SELECT count(*)::text AS rows, coalesce(sum(hashtextextended(${row}, 0)::numeric), 0)::text AS checksum FROM ${table}`,
	);
	return rows[0]!;
}
