/** Counts what is under way, and tells when nothing is. */
export class Flights {
	private underWay = 0;
	private readonly waiting = new Set<() => void>();

	get count(): number {
		return this.underWay;
	}

	/** Counts one more; the returned function, called once, counts it out again. */
	enter(): () => void {
		this.underWay += 1;
		return () => {
			this.underWay -= 1;
			if (this.underWay === 0) {
				for (const wake of [...this.waiting]) {
					wake();
				}
			}
		};
	}

	/**
	 * Waits until nothing is under way.
	 *
	 * @param timeoutMs milliseconds until the wait is given up
	 * @returns how many are still under way
	 */
	whenIdle(timeoutMs: number): Promise<number> {
		if (this.underWay === 0 || timeoutMs <= 0) {
			return Promise.resolve(this.underWay);
		}
		return new Promise((resolve) => {
			const finish = () => {
				clearTimeout(timer);
				this.waiting.delete(finish);
				resolve(this.underWay);
			};
			const timer = setTimeout(finish, timeoutMs);
			this.waiting.add(finish);
		});
	}
}
