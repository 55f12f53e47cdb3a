import type { Contents } from "./contents";
import type { Entry } from "./ledger";
import { OPENING_BALANCE, SHARED_ACCOUNTS } from "./schema";

/** What the operations that a database says it has done must have left in it. */
export interface Expectation {
	accounts: Map<number, { balance: number; version: number; opId?: string }>;
	/** By {@link eventKey}. */
	events: Map<string, number>;
	/** By operation. */
	tickets: Map<string, { number: number; account: number; net: number; gross: number }>;
	/** By operation. */
	measures: Map<string, { at: number; value: number }>;
	counters: Map<string, number>;
	/** Accounts that were closed, by the operation that did it. */
	closed: Map<number, string>;
}

export function eventKey(note: string, account: number): string {
	return `${note} on account ${account}`;
}

/**
 * Does the operations once more, in the order in which they were sent: what several writers change at the same time is
 * only added to, and so does not depend on the order.
 *
 * @param entries the operations that the database has in its table of operations
 */
export function expect(
	entries: readonly Entry[],
	recorded: ReadonlyMap<string, Contents["operations"][number]>,
): Expectation {
	const expected: Expectation = {
		accounts: new Map(),
		events: new Map(),
		tickets: new Map(),
		measures: new Map(),
		counters: new Map(),
		closed: new Map(),
	};
	for (let id = 1; id <= SHARED_ACCOUNTS; id++) {
		expected.accounts.set(id, { balance: OPENING_BALANCE, version: 0 });
	}
	for (const { operation } of entries) {
		const record = recorded.get(operation.opId);
		if (record !== undefined) {
			apply(expected, operation, record);
		}
	}
	return expected;
}

function apply(
	expected: Expectation,
	operation: Entry["operation"],
	{ account, ticket }: Contents["operations"][number],
): void {
	const { opId } = operation;
	const add = (id: number, amount: number) => {
		const row = expected.accounts.get(id);
		if (row !== undefined) {
			row.balance += amount;
			row.version += 1;
		}
	};
	switch (operation.kind) {
		case "insert":
			expected.accounts.set(account!, { balance: operation.amount, version: 0, opId });
			expected.events.set(eventKey(opId, account!), operation.amount);
			break;
		case "update":
		case "touch":
			add(operation.account, operation.amount);
			expected.events.set(eventKey(opId, operation.account), operation.amount);
			break;
		case "amend": {
			const key = eventKey(operation.target, operation.account);
			add(operation.account, operation.amount);
			expected.events.set(key, (expected.events.get(key) ?? 0) + operation.amount);
			break;
		}
		case "delete": {
			const opened = expected.accounts.get(operation.account);
			expected.accounts.delete(operation.account);
			expected.events.delete(eventKey(opened?.opId ?? "", operation.account));
			expected.closed.set(operation.account, opId);
			break;
		}
		case "transfer":
			for (const [id, amount] of [
				[operation.from, -operation.amount],
				[operation.to, operation.amount],
			] as const) {
				add(id, amount);
				expected.events.set(eventKey(opId, id), amount);
			}
			break;
		case "compound": {
			const { amount, at, counter } = operation;
			const gross = Math.trunc((amount * 119) / 100);
			expected.tickets.set(opId, { number: ticket!, account: operation.account, net: amount, gross });
			expected.measures.set(opId, { at, value: amount });
			expected.counters.set(counter, (expected.counters.get(counter) ?? 0) + amount);
			break;
		}
		case "move": {
			const measure = expected.measures.get(operation.target);
			if (measure !== undefined) {
				measure.at = operation.to;
			}
			break;
		}
	}
}
