import { randomUUID } from "node:crypto";
import type { GatewayStatus } from "./protocol";

type LastHold = NonNullable<GatewayStatus["lastHold"]>;

interface Waiting {
	start: () => void;
}

interface Hold {
	id: string;
	since: Date;
	expiresAt: Date;
	timer: NodeJS.Timeout;
	/** In the order of their arrival. */
	queue: Set<Waiting>;
	refused: number;
}

/** Lets requests through, or keeps them in order while held. */
export class Admission {
	private current: Hold | undefined;
	private last: LastHold | null = null;

	constructor(
		private readonly maxQueued: number,
		private readonly onExpired: (released: number) => void,
	) {}

	/**
	 * Calls `start` now, or at the end of the hold; `refuse` when too many are waiting already.
	 * All of it happens within this call or within the one that ends the hold, so that after the answer to a hold
	 * no request can be between being let through and being counted.
	 *
	 * @returns a function that gives the place in the queue up
	 */
	admit(start: () => void, refuse: () => void): () => void {
		const hold = this.current;
		if (hold === undefined) {
			start();
			return () => {};
		}
		if (hold.queue.size >= this.maxQueued) {
			hold.refused += 1;
			refuse();
			return () => {};
		}
		const entry = { start };
		hold.queue.add(entry);
		return () => {
			hold.queue.delete(entry);
		};
	}

	/**
	 * Makes new requests wait until {@link release} or until `timeoutMs` have passed.
	 *
	 * @returns undefined when a hold is under way already
	 */
	hold(timeoutMs: number): { holdId: string; expiresAt: string } | undefined {
		if (this.current !== undefined) {
			return undefined;
		}
		const since = new Date();
		const hold: Hold = {
			id: randomUUID(),
			since,
			expiresAt: new Date(since.getTime() + timeoutMs),
			timer: setTimeout(() => this.onExpired(this.end("expired")), timeoutMs),
			queue: new Set(),
			refused: 0,
		};
		this.current = hold;
		return { holdId: hold.id, expiresAt: hold.expiresAt.toISOString() };
	}

	/**
	 * Ends the hold and starts what waited, in order.
	 *
	 * @returns how many were waiting; undefined when that hold is not under way (any more)
	 */
	release(holdId: string): number | undefined {
		return this.current?.id === holdId ? this.end("released") : undefined;
	}

	/** Ends whatever hold there is, as the gateway stops. */
	stop(): void {
		this.end("stopped");
	}

	private end(outcome: LastHold["outcome"]): number {
		const hold = this.current;
		if (hold === undefined) {
			return 0;
		}
		clearTimeout(hold.timer);
		this.current = undefined;
		this.last = {
			holdId: hold.id,
			since: hold.since.toISOString(),
			ended: new Date().toISOString(),
			outcome,
			released: hold.queue.size,
			refused: hold.refused,
		};
		for (const { start } of hold.queue) {
			start();
		}
		return hold.queue.size;
	}

	status(): Pick<GatewayStatus, "hold" | "lastHold"> {
		const hold = this.current;
		return {
			hold:
				hold === undefined
					? null
					: {
							holdId: hold.id,
							since: hold.since.toISOString(),
							expiresAt: hold.expiresAt.toISOString(),
							queued: hold.queue.size,
						},
			lastHold: this.last,
		};
	}
}
