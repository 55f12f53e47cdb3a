import { type Client, type ClientBase, escapeLiteral } from "pg";

/** A sequence that both colours have. */
export interface SharedSequence {
	/** Quoted, with its schema. */
	name: string;
	ascending: boolean;
}

const APPLICATION_SEQUENCES = `FROM pg_sequence JOIN pg_class ON pg_class.oid = seqrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
	WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'deployment') AND relpersistence = 'p'
		AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = seqrelid AND deptype = 'e')`;

/** The sequences that exist on both sides; they are not replicated, so a cutover sets them. */
export async function sharedSequences(from: ClientBase, to: ClientBase): Promise<SharedSequence[]> {
	const select = `SELECT format('%I.%I', nspname, relname) AS name, seqincrement > 0 AS ascending ${APPLICATION_SEQUENCES}`;
	const [source, target] = await Promise.all([
		from.query<SharedSequence>(select),
		to.query<SharedSequence>(select),
	]);
	const there = new Set(target.rows.map(({ name }) => name));
	return source.rows.filter(({ name }) => there.has(name));
}

/**
 * Makes sequences of one side go on behind those of the other, and never back: a value that was handed out on either
 * side is not handed out again.
 */
export async function advanceSequences(
	from: Client,
	to: Client,
	sequences: readonly SharedSequence[],
): Promise<void> {
	if (sequences.length === 0) {
		return;
	}
	const reads = sequences.map(
		({ name }, index) =>
			`SELECT ${index} AS index, last_value::text AS value, is_called AS called FROM ${name}`,
	);
	const { rows } = await from.query<{ index: number; value: string; called: boolean }>(
		reads.join(" UNION ALL "),
	);
	const sets = rows
		.filter(({ called }) => called)
		.map(({ index, value }) => {
			const { name, ascending } = sequences[index]!;
			const further = ascending ? "greatest" : "least";
			return `SELECT setval(${escapeLiteral(name)}, ${further}(last_value, ${value}::bigint)) FROM ${name}`;
		});
	if (sets.length > 0) {
		await to.query(sets.join(" UNION ALL "));
	}
}
