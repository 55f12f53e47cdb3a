import { LRUCache } from "lru-cache";
import type { ColorState, ColorWatch } from "../color-watch";
import type { ServiceConfig } from "../config";

export interface HourlyTotal {
	hour: string;
	countType: string;
	total: number;
	results: number;
}

/** Of the header `x-cache`: `bypass` where the answer was neither looked for nor kept. */
export type CacheOutcome = "hit" | "miss" | "bypass";

export interface HourlyQuery {
	cameraId: number;
	from: string;
	to: string;
}

interface Answer {
	cameraId: number;
	totals: readonly HourlyTotal[];
}

interface Load {
	/** Whether results came in, or the colour changed, while the database was asked. */
	outdated: boolean;
}

/** Totals of all answers together; a year of a camera's hours has about 9,000 of one count type. */
const MOST_TOTALS = 200_000;

/**
 * Totals that have been asked for before. Only for the live colour, and only while it is known to be that: an idle one
 * gets rows by replication, of which nobody tells.
 */
export class HourlyCache {
	private readonly answers: LRUCache<string, Answer>;
	/** Of what is kept, by camera. */
	private readonly keys = new Map<number, Set<string>>();
	private readonly loads = new Map<number, Set<Load>>();
	private state: ColorState;

	constructor(
		private readonly config: ServiceConfig["cache"],
		watch: Pick<ColorWatch, "state" | "listen">,
	) {
		this.answers = new LRUCache({
			max: Math.max(1, config.entries),
			maxSize: MOST_TOTALS,
			sizeCalculation: ({ totals }) => totals.length + 1,
			ttl: config.ttlMs,
			dispose: ({ cameraId }, key) => this.forget(cameraId, key),
		});
		this.state = watch.state;
		watch.listen({
			onState: (state) => {
				this.state = state;
				this.purge();
			},
			onIngested: (cameraIds) => (cameraIds === undefined ? this.purge() : this.invalidate(cameraIds)),
		});
	}

	/** The totals, kept or from `load`. */
	async read(
		query: HourlyQuery,
		load: () => Promise<readonly HourlyTotal[]>,
	): Promise<{ totals: readonly HourlyTotal[]; outcome: CacheOutcome }> {
		if (this.config.entries === 0 || this.state !== "open") {
			return { totals: await load(), outcome: "bypass" };
		}
		const key = this.keyOf(query);
		const kept = this.answers.get(key);
		if (kept !== undefined) {
			return { totals: kept.totals, outcome: "hit" };
		}
		const loading: Load = { outdated: false };
		const loads = entryOf(this.loads, query.cameraId);
		loads.add(loading);
		try {
			const totals = await load();
			if (!loading.outdated) {
				this.keep(key, { cameraId: query.cameraId, totals });
			}
			return { totals, outcome: "miss" };
		} finally {
			loads.delete(loading);
			if (loads.size === 0) {
				this.loads.delete(query.cameraId);
			}
		}
	}

	/** Forgets all about cameras that have new results. To be called after those are committed. */
	invalidate(cameraIds: Iterable<number>): void {
		for (const cameraId of cameraIds) {
			for (const load of this.loads.get(cameraId) ?? []) {
				load.outdated = true;
			}
			for (const key of [...(this.keys.get(cameraId) ?? [])]) {
				this.answers.delete(key);
			}
		}
	}

	private purge(): void {
		for (const loads of this.loads.values()) {
			for (const load of loads) {
				load.outdated = true;
			}
		}
		this.answers.clear();
	}

	private keep(key: string, answer: Answer): void {
		this.answers.set(key, answer);
		// One that is too large is not kept.
		if (this.answers.has(key)) {
			entryOf(this.keys, answer.cameraId).add(key);
		}
	}

	private keyOf({ cameraId, from, to }: HourlyQuery): string {
		return [this.config.namespace, cameraId, from, to].join("|");
	}

	private forget(cameraId: number, key: string): void {
		const keys = this.keys.get(cameraId);
		keys?.delete(key);
		if (keys?.size === 0) {
			this.keys.delete(cameraId);
		}
	}
}

function entryOf<T>(map: Map<number, Set<T>>, key: number): Set<T> {
	const found = map.get(key) ?? new Set<T>();
	map.set(key, found);
	return found;
}
