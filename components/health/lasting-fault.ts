/** A fault that is found so often in a row, or for so long, that it is no accident. */
export interface FaultLimits {
	times: number;
	/** Milliseconds between the first and the last finding, of which there must be two at least. */
	lastingMs: number;
}

/** Tells a lasting fault of one check from a single bad answer. */
export class LastingFault {
	private fault: string | undefined;
	private times = 0;
	private firstAt = 0;
	private lastAt = 0;

	constructor(
		readonly check: string,
		private readonly limits: FaultLimits,
	) {}

	/** @param at milliseconds on a clock that never goes back */
	note(at: number, fault: string | undefined): void {
		if (fault === undefined) {
			this.times = 0;
		} else {
			if (this.times === 0) this.firstAt = at;
			this.times++;
			this.lastAt = at;
		}
		this.fault = fault;
	}

	/** Whether the last answer was a fault. */
	get isOpen(): boolean {
		return this.fault !== undefined;
	}

	get isLasting(): boolean {
		const { times, lastingMs } = this.limits;
		return this.times >= times || (this.times >= 2 && this.lastAt - this.firstAt >= lastingMs);
	}

	describe(): string {
		return `${this.check}: ${this.fault}${this.times === 1 ? "" : ` (${this.times} times in a row)`}`;
	}
}
