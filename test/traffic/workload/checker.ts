import type { Connection } from "../../../components/database/connection";
import { type Contents, readContents } from "./contents";
import { type Expectation, eventKey, expect } from "./expectation";
import type { Entry, Ledger } from "./ledger";

/**
 * - lost: acknowledged, and not there
 * - doubled: a part is there more than once
 * - half-written: an operation's parts are not all there, or are there without it
 * - phantom: there, and nobody sent it, or it was answered that it did not happen
 * - wrong: a sum or a value is not what the operations add up to
 * - sequence: a number was handed out twice
 * - failed: answered that it failed, and it should not have
 */
export type DiscrepancyKind =
	| "lost"
	| "doubled"
	| "half-written"
	| "phantom"
	| "wrong"
	| "sequence"
	| "failed";

export interface Discrepancy {
	kind: DiscrepancyKind;
	/** The operation or the row that it is about. */
	of: string;
	what: string;
}

const UNIQUE_VIOLATION = "23505";

/**
 * Everything in which a database differs from what its writers were told. The writers must have stopped.
 *
 * @param database the live colour, as a role that may read all
 */
export async function check(ledger: Ledger, database: Connection): Promise<Discrepancy[]> {
	return compare(ledger.entries, await readContents(database));
}

/** For the message of an assertion: a line for each, not too many. */
export function describeDiscrepancies(found: readonly Discrepancy[]): string {
	const lines = found.slice(0, 30).map(({ kind, of, what }) => `${kind} ${of}: ${what}`);
	return [...lines, ...(found.length > 30 ? [`and ${found.length - 30} more`] : [])].join("\n");
}

function compare(entries: readonly Entry[], found: Contents): Discrepancy[] {
	const recorded = recordsOf(entries, found);
	const sent = new Map(entries.map((entry) => [entry.operation.opId, entry]));
	const expected = expect(entries, recorded);
	const discrepancies: Discrepancy[] = [];
	const report = (kind: DiscrepancyKind, of: string, what: string) =>
		void discrepancies.push({ kind, of, what });
	/** A row that should not be there, named by the operation that would have written it. */
	const reportSurplus = (opId: string, what: string) =>
		sent.has(opId) && !recorded.has(opId)
			? report("half-written", opId, `${what} is there without the operation`)
			: report("phantom", opId, `${what} is there and nobody wrote it`);

	checkOutcomes(entries, recorded, report);
	for (const row of found.operations.filter(({ op_id }) => !sent.has(op_id))) {
		report("phantom", row.op_id, `${row.kind} is there and nobody sent it`);
	}
	checkAccounts(expected, found, entries, report);
	checkEvents(expected, found, reportSurplus, report);
	checkParts("ticket", expected.tickets, found.tickets, reportSurplus, report);
	checkParts("measure", expected.measures, found.measures, reportSurplus, report);
	const counters = new Map(found.counters.map(({ key, value }) => [key, value]));
	for (const key of new Set([...expected.counters.keys(), ...counters.keys()])) {
		const [wanted, value] = [expected.counters.get(key) ?? 0, counters.get(key) ?? 0];
		if (wanted !== value) {
			report("wrong", `counter ${key}`, `is ${value} instead of ${wanted}`);
		}
	}
	return discrepancies;
}

/** What the database has done: by its table of operations, and by the events of operations that are not in it. */
function recordsOf(entries: readonly Entry[], found: Contents): Map<string, Contents["operations"][number]> {
	const notes = new Set(found.events.map(({ note }) => note));
	const touches = entries.filter(({ operation: { kind, opId } }) => kind === "touch" && notes.has(opId));
	return new Map([
		...found.operations.map((row) => [row.op_id, row] as const),
		...touches.map(
			({ operation: { opId, kind } }) => [opId, { op_id: opId, kind, account: null, ticket: null }] as const,
		),
	]);
}

type Report = (kind: DiscrepancyKind, of: string, what: string) => void;

/** Whether what was said of each operation is so, and no number was said twice. */
function checkOutcomes(
	entries: readonly Entry[],
	recorded: ReadonlyMap<string, Contents["operations"][number]>,
	report: Report,
): void {
	const handedOut = new Map<string, string>();
	for (const { operation, outcome, answer, reason, sqlState } of entries) {
		const { opId, kind } = operation;
		const record = recorded.get(opId);
		if (outcome === "acknowledged" && record === undefined) {
			report("lost", opId, `${kind} was acknowledged and is not there`);
		}
		if ((outcome === "refused" || outcome === "failed") && record !== undefined) {
			report("phantom", opId, `${kind} is there although it was answered ${reason}`);
		}
		if (outcome === "failed") {
			report(sqlState === UNIQUE_VIOLATION ? "sequence" : "failed", opId, `${kind} was answered ${reason}`);
		}
		for (const name of ["account", "ticket"] as const) {
			const value = answer?.[name] ?? null;
			if (answer !== undefined && record !== undefined && record[name] !== value) {
				report("wrong", opId, `${name} is ${record[name]}, acknowledged was ${value}`);
			}
			const before = handedOut.get(`${name} ${value}`);
			if (value !== null && before !== undefined) {
				report("sequence", opId, `${name} ${value} had been handed out to ${before} already`);
			}
			if (value !== null) {
				handedOut.set(`${name} ${value}`, opId);
			}
		}
	}
}

function checkAccounts(
	expected: Expectation,
	found: Contents,
	entries: readonly Entry[],
	report: Report,
): void {
	const accounts = new Map(found.accounts.map((row) => [row.id, row]));
	const openedBy = new Map(entries.map(({ operation, answer }) => [answer?.account, operation.opId]));
	for (const [id, { balance, version, opId }] of expected.accounts) {
		const row = accounts.get(id);
		if (row === undefined) {
			report(
				opId === undefined ? "lost" : "half-written",
				opId ?? `account ${id}`,
				`account ${id} is missing`,
			);
		} else if (row.balance !== balance || row.version !== version) {
			report(
				"wrong",
				`account ${id}`,
				`has ${row.balance} after ${row.version} changes instead of ${balance} after ${version}`,
			);
		}
	}
	for (const id of [...accounts.keys()].filter((id) => !expected.accounts.has(id))) {
		const closer = expected.closed.get(id);
		const opener = openedBy.get(id);
		if (closer !== undefined) {
			report("half-written", closer, `account ${id} is still there`);
		} else if (opener !== undefined) {
			report("half-written", opener, `account ${id} is there without the operation`);
		} else {
			report("phantom", `account ${id}`, "is there and nobody opened it");
		}
	}
}

function checkEvents(
	expected: Expectation,
	found: Contents,
	reportSurplus: (opId: string, what: string) => void,
	report: Report,
): void {
	const groups = groupBy(found.events, ({ note, account }) => eventKey(note, account));
	for (const [key, amount] of expected.events) {
		const rows = groups.get(key) ?? [];
		if (rows.length === 0) {
			report("half-written", key.split(" ", 1)[0]!, `event ${key} is missing`);
		} else if (rows.length > 1) {
			report("doubled", rows[0]!.note, `event ${key} is there ${rows.length} times`);
		} else if (rows[0]!.amount !== amount) {
			report("wrong", rows[0]!.note, `event ${key} has ${rows[0]!.amount} instead of ${amount}`);
		}
	}
	for (const [key, [row]] of groups) {
		const closer = expected.closed.get(row!.account);
		if (!expected.events.has(key)) {
			if (closer === undefined) {
				reportSurplus(row!.note, `event ${key}`);
			} else {
				report("half-written", closer, `event ${key} is still there`);
			}
		}
	}
}

/** Rows of which each operation writes one. */
function checkParts<T extends object>(
	name: string,
	expected: ReadonlyMap<string, T>,
	found: readonly (T & { op_id: string })[],
	reportSurplus: (opId: string, what: string) => void,
	report: Report,
): void {
	const groups = groupBy(found, ({ op_id }) => op_id);
	for (const [opId, wanted] of expected) {
		const rows = groups.get(opId) ?? [];
		if (rows.length === 0) {
			report("half-written", opId, `its ${name} is missing`);
		} else if (rows.length > 1) {
			report("doubled", opId, `its ${name} is there ${rows.length} times`);
		}
		const different = (Object.keys(wanted) as (keyof T & string)[]).filter(
			(column) => rows.length === 1 && rows[0]![column] !== wanted[column],
		);
		for (const column of different) {
			report("wrong", opId, `its ${name}'s ${column} is ${rows[0]![column]} instead of ${wanted[column]}`);
		}
	}
	for (const opId of [...groups.keys()].filter((opId) => !expected.has(opId))) {
		reportSurplus(opId, `its ${name}`);
	}
}

function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
	const groups = new Map<string, T[]>();
	for (const row of rows) {
		const key = keyOf(row);
		const group = groups.get(key);
		if (group === undefined) {
			groups.set(key, [row]);
		} else {
			group.push(row);
		}
	}
	return groups;
}
