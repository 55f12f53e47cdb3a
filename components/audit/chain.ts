import { type AuditRow, BEGINNING, hashOf } from "./audit-row";

/** How far an audit log is whole. */
export interface Chain {
	rows: number;
	/** The last row that fits; undefined where none does. */
	head?: { id: number; hash: string };
	/** What is wrong at the first row that does not fit. */
	fault?: string;
}

/** Follows an audit log row by row, in the order of their ids, and stops at the first that does not fit. */
export class ChainWalk {
	private rows = 0;
	private last: { id: number; hash: string } | undefined;
	private fault: string | undefined;

	/** @param kept a hash that was kept elsewhere: one of the rows must have it */
	constructor(private readonly kept?: string) {}

	private keptWasSeen = false;

	/** Whether to go on. */
	follow(row: AuditRow): boolean {
		this.fault = faultOf(row, this.last);
		if (this.fault === undefined) {
			this.rows++;
			this.last = { id: row.id, hash: row.hash };
			this.keptWasSeen ||= row.hash === this.kept;
		}
		return this.fault === undefined;
	}

	/** What was found, once all rows were followed. */
	end(): Chain {
		const lost =
			this.fault === undefined && this.kept !== undefined && !this.keptWasSeen
				? `no row has the hash ${this.kept}: rows were cut off the end, or all were written anew since it was kept`
				: this.fault;
		return {
			rows: this.rows,
			...(this.last && { head: this.last }),
			...(lost !== undefined && { fault: lost }),
		};
	}
}

function faultOf(row: AuditRow, last: { id: number; hash: string } | undefined): string | undefined {
	const expected = (last?.id ?? 0) + 1;
	if (row.id !== expected) {
		return `row ${expected} is missing: row ${row.id} comes in its place`;
	}
	if (row.previousHash !== (last?.hash ?? BEGINNING)) {
		return `row ${row.id} does not follow from row ${row.id - 1}: one of the two was changed or put in`;
	}
	return row.hash === hashOf(row) ? undefined : `row ${row.id} was changed: its content has another hash`;
}
