import { Ledger } from "../workload/ledger";
import { Random } from "../workload/random";
import { Writers } from "../workload/writers";
import type { Pair } from "./pair";

/** All that is written to a pair in the course of a suite, and what became of it. */
export class Traffic {
	readonly ledger = new Ledger("crash");
	private readonly random = new Random(17);

	constructor(private readonly pair: Pair) {}

	/** Does some work while clients write through the gateway. */
	async during<T>(work: () => Promise<T>): Promise<T> {
		const writers = Writers.start({
			url: this.pair.gateway.url,
			ledger: this.ledger,
			random: this.random.fork(),
			count: 4,
			thinkMs: 20,
			pauseMs: 50,
		});
		try {
			return await work();
		} finally {
			await writers.stop();
		}
	}

	/** Waits until something that was sent from now on is acknowledged; returns after how many milliseconds. */
	async untilAcknowledged(timeoutMs: number): Promise<number> {
		const from = performance.now();
		for (;;) {
			const waited = performance.now() - from;
			const found = this.ledger.entries.some(
				({ outcome, endedAt }) => outcome === "acknowledged" && endedAt > from,
			);
			if (found || waited > timeoutMs) {
				return waited;
			}
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}
}
