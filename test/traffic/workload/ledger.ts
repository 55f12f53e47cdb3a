import type { Answer, Operation } from "./operation";

/**
 * - acknowledged: answered with success, so it has to be there
 * - refused: answered that nothing happened and that it may be tried again
 * - failed: answered that nothing happened, and it should have
 * - unknown: not answered, or not by somebody who knows; it has happened wholly or not at all
 */
export type Outcome = "pending" | "acknowledged" | "refused" | "failed" | "unknown";

export interface Entry {
	readonly operation: Operation;
	/** When it was sent, by performance.now(). */
	readonly sentAt: number;
	endedAt: number;
	outcome: Outcome;
	/** What was handed out to it, when it was acknowledged. */
	answer?: Answer;
	/** What was said when it was not acknowledged. */
	reason?: string;
	sqlState?: string;
}

/** Time without acknowledgements, by performance.now(). */
export interface Gap {
	ms: number;
	from: number;
	to: number;
}

/** Everything that the writers have sent, in that order, and what became of it. */
export class Ledger {
	readonly entries: Entry[] = [];
	/** In order. */
	private readonly acknowledgedAt: number[] = [];

	/** @param name begins the ids of the operations */
	constructor(private readonly name: string) {}

	nextId(): string {
		return `${this.name}-${this.entries.length + 1}`;
	}

	send(operation: Operation): Entry {
		const entry: Entry = { operation, sentAt: performance.now(), endedAt: Number.NaN, outcome: "pending" };
		this.entries.push(entry);
		return entry;
	}

	settle(entry: Entry, outcome: Exclude<Outcome, "pending">, details: Partial<Entry>): void {
		Object.assign(entry, details, { outcome, endedAt: performance.now() });
		if (outcome === "acknowledged") {
			this.acknowledgedAt.push(entry.endedAt);
		}
	}

	counts(): Record<Outcome, number> {
		const counts = { pending: 0, acknowledged: 0, refused: 0, failed: 0, unknown: 0 };
		for (const { outcome } of this.entries) {
			counts[outcome] += 1;
		}
		return counts;
	}

	/**
	 * The longest time between two acknowledgements, one of which lies within the window; to its ends where there is none
	 * before or after.
	 */
	longestGap(from: number, to: number): Gap {
		const times = this.acknowledgedAt;
		let last = [...times].reverse().find((time) => time <= from) ?? from;
		let longest = { ms: 0, from, to: from };
		for (const time of times.filter((time) => time > from)) {
			if (time - last > longest.ms) {
				longest = { ms: time - last, from: last, to: time };
			}
			last = time;
			if (time >= to) {
				break;
			}
		}
		return to - last > longest.ms ? { ms: to - last, from: last, to } : longest;
	}
}
