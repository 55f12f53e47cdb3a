import type { ClientBase } from "pg";
import { error, type Finding } from "./finding";
import type { ReplicatedTable } from "./tables";

/** What is left of the live side's tables, and what a migration may take out of the rest. */
export interface Unwritten {
	tables: ReplicatedTable[];
	columns: { table: ReplicatedTable; column: string }[];
	findings: Finding[];
}

/**
 * Leaves out of the live side's tables what the live release no longer writes: it is copied, but its changes are not
 * replicated, so that a migration may drop it on the other side. Nothing is asked of the database; see {@link leaveOut}.
 *
 * @param names such as `cameras.zone`, `cameras` or `public.cameras.zone`
 */
export function withoutUnwritten(tables: readonly ReplicatedTable[], names: readonly string[]): Unwritten {
	const findings: Finding[] = [];
	const columns: Unwritten["columns"] = [];
	let left = [...tables];
	for (const name of names) {
		const found = resolve(tables, name);
		if (found === undefined) {
			findings.push(
				error(`-- unwritten: ${name} is neither a table nor a column of the live side`, "correct the name"),
			);
			continue;
		}
		const { table, column } = found;
		if (column === undefined) {
			left = left.filter(({ sql }) => sql !== table.sql);
			continue;
		}
		columns.push({ table, column });
		left = left.map((each) =>
			each.sql === table.sql
				? { ...each, columns: each.columns.filter((other) => other.name !== column) }
				: each,
		);
	}
	return { tables: left, columns, findings };
}

/** The same, with what the live side has against leaving each column out. */
export async function leaveOut(
	client: ClientBase,
	tables: readonly ReplicatedTable[],
	names: readonly string[],
): Promise<Pick<Unwritten, "tables" | "findings">> {
	const unwritten = withoutUnwritten(tables, names);
	const findings = [...unwritten.findings];
	for (const { table, column } of unwritten.columns) {
		const problem = await obstacle(client, table, column);
		if (problem !== undefined) {
			findings.push(problem);
		}
	}
	return { tables: unwritten.tables, findings };
}

function resolve(
	tables: readonly ReplicatedTable[],
	name: string,
): { table: ReplicatedTable; column?: string } | undefined {
	const parts = name.split(".");
	const [first, second, third] = parts;
	const find = (schema: string | undefined, table: string | undefined) =>
		tables.find((each) => each.schema === schema && each.name === table);
	const whole =
		parts.length === 1 ? find("public", first) : parts.length === 2 ? find(first, second) : undefined;
	if (whole !== undefined) {
		return { table: whole };
	}
	const [table, column] = parts.length === 3 ? [find(first, second), third] : [find("public", first), second];
	return table?.columns.some((each) => each.name === column) && column !== undefined
		? { table, column }
		: undefined;
}

async function obstacle(
	client: ClientBase,
	table: ReplicatedTable,
	column: string,
): Promise<Finding | undefined> {
	const shown = `-- unwritten: column ${column} of ${table.sql}`;
	if (table.identity === "full") {
		return error(
			`${shown} tells rows apart, since the table has no primary key`,
			"give it a primary key first",
		);
	}
	const { rows } = await client.query<{ key: boolean; filled: boolean }>(
		`SELECT EXISTS (
				SELECT FROM pg_index WHERE indrelid = attrelid AND attnum = ANY (indkey)
					AND CASE relreplident WHEN 'i' THEN indisreplident ELSE indisprimary END
			) AS key, NOT attnotnull OR atthasdef OR attidentity <> '' AS filled
		FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE attrelid = $1::regclass AND attname = $2`,
		[table.sql, column],
	);
	if (rows[0]?.key) {
		return error(`${shown} is part of the key by which changed rows are found`, "keep it");
	}
	return rows[0]?.filled
		? undefined
		: error(
				`${shown} takes no NULL and has no default, so rows of the new release could not come back`,
				"let a release before give it a default or allow NULL",
			);
}
