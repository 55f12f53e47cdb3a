import { escapeIdentifier } from "pg";
import type { ReplicatedColumn, ReplicatedTable } from "./tables";

/** A part of a table that one worker copies at a time. */
export interface Chunk {
	table: ReplicatedTable;
	/** Where its rows are stored: the table or one of its partitions, quoted. */
	leaf: string;
	/** Pages of the leaf, the last one excluded; open at the end for rows that were added since they were counted. */
	pages?: { from: number; to?: number };
	/** Estimated, to tell progress. */
	bytes: number;
}

/** Large enough for the cost of beginning a chunk not to show, small enough for workers to end at the same time. */
const CHUNK_BYTES = 32 << 20;

/** Divides tables into chunks, those of the largest leaves first, so that no worker is left with a large one at the end. */
export function divide(tables: readonly ReplicatedTable[], chunkBytes = CHUNK_BYTES): Chunk[] {
	return tables
		.flatMap((table) => table.leaves.map((leaf) => ({ table, leaf })))
		.sort((left, right) => right.leaf.bytes - left.leaf.bytes)
		.flatMap(({ table, leaf: { sql, pages, bytes } }): Chunk[] => {
			const wanted = copiedColumns(table).length === 0 ? 1 : Math.ceil(bytes / chunkBytes);
			const count = Math.max(1, Math.min(wanted, pages));
			if (count === 1) {
				return [{ table, leaf: sql, bytes }];
			}
			const size = Math.ceil(pages / count);
			const used = Math.ceil(pages / size);
			return Array.from({ length: used }, (_, index) => ({
				table,
				leaf: sql,
				pages: { from: index * size, ...(index < used - 1 && { to: (index + 1) * size }) },
				bytes: bytes / used,
			}));
		});
}

/** The statements that take a chunk out of one database and put it into another. */
export function copyStatements(chunk: Chunk): { out: string; in: string } {
	const { table, leaf, pages } = chunk;
	const columns = copiedColumns(table);
	const list = columns.map(({ name }) => escapeIdentifier(name)).join(", ");
	const leafColumns = list === "" ? leaf : `${leaf} (${list})`;
	const rows = pages === undefined ? leafColumns : `(SELECT ${list} FROM ${rowsOf(chunk)})`;
	const format = columns.every(hasBinaryForm) ? "binary" : "text";
	return {
		out: `COPY ${rows} TO STDOUT WITH (FORMAT ${format})`,
		in: `COPY ${leafColumns} FROM STDIN WITH (FORMAT ${format})`,
	};
}

/** What follows FROM in a query over a chunk. */
export function rowsOf({ leaf, pages }: Chunk): string {
	if (pages === undefined) return `ONLY ${leaf}`;
	const to = pages.to === undefined ? "" : ` AND ctid < '(${pages.to},0)'`;
	return `ONLY ${leaf} WHERE ctid >= '(${pages.from},0)'${to}`;
}

/** Generated columns are computed anew. */
export function copiedColumns({ columns }: ReplicatedTable): ReplicatedColumn[] {
	return columns.filter(({ generated }) => !generated);
}

/** In binary form these are object ids, which differ between databases, or have no such form at all. */
const TEXT_ONLY = /^(reg[a-z]+|aclitem)(\[\])*$/;

function hasBinaryForm({ type, builtIn }: ReplicatedColumn): boolean {
	return builtIn && !TEXT_ONLY.test(type);
}
