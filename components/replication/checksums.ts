import { type Client, escapeIdentifier } from "pg";
import { type Chunk, copiedColumns, rowsOf } from "./copy-chunks";
import type { Worker } from "./copy-workers";
import { shownName } from "./tables";

export type Verification = "checksums" | "counts";

/** Rows and the sum of their hashes; the sum stays 0 when rows are only counted. */
interface Sum {
	rows: number;
	hash: bigint;
}

/** Adds up what the source's snapshot and the target hold, chunk by chunk, and compares them by table. */
export class Comparison {
	/** By the name that is told. */
	private readonly tables = new Map<string, { source: Sum; target: Sum }>();

	constructor(private readonly verification: Verification) {}

	/**
	 * A chunk need not hold the same rows on both sides, but all chunks of a table hold all its rows.
	 *
	 * @param sent the rows that the source's snapshot has in the chunk
	 */
	async add({ source, target }: Worker, chunk: Chunk, sent: number): Promise<void> {
		const query = this.query(chunk);
		const [left, right] = await Promise.all([
			this.verification === "checksums" ? sum(source, query) : { rows: sent, hash: 0n },
			sum(target, query),
		]);
		const name = shownName(chunk.table);
		const sums = this.tables.get(name) ?? { source: { rows: 0, hash: 0n }, target: { rows: 0, hash: 0n } };
		increase(sums.source, left);
		increase(sums.target, right);
		this.tables.set(name, sums);
	}

	/** One line for each table that is not the same on both sides. */
	differences(sourceName: string, targetName: string): string[] {
		return [...this.tables.keys()].sort().flatMap((table) => {
			const { source, target } = this.tables.get(table)!;
			if (source.rows !== target.rows) {
				return [`${table} has ${source.rows} rows on ${sourceName}, but ${target.rows} on ${targetName}`];
			}
			return source.hash === target.hash
				? []
				: [`${table} has ${source.rows} rows on ${sourceName} and on ${targetName}, but not the same ones`];
		});
	}

	private query(chunk: Chunk): string {
		const columns = copiedColumns(chunk.table).map(({ name }) => escapeIdentifier(name));
		// By the bytes of the text, whatever the database's collation takes to be equal.
		const hash = `sum(hashtextextended(ROW(${columns.join(", ")})::text COLLATE "C", 0))`;
		return `SELECT count(*) AS rows, ${this.verification === "checksums" ? hash : "0"} AS hash FROM ${rowsOf(chunk)}`;
	}
}

async function sum(client: Client, query: string): Promise<Sum> {
	const { rows } = await client.query<{ rows: string; hash: string | null }>(query);
	return { rows: Number(rows[0]!.rows), hash: BigInt(rows[0]!.hash ?? 0) };
}

function increase(total: Sum, part: Sum): void {
	total.rows += part.rows;
	total.hash += part.hash;
}
