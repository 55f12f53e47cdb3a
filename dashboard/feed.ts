import { PassThrough, type Readable } from "node:stream";
import type { CatalogMoment } from "./reading/catalog-reader";
import type { CatalogReach, DashboardState } from "./state";

export interface FeedOptions {
	/** Reads everything once; called by one at a time. */
	read(): Promise<CatalogMoment>;
	/** Told when nobody listens any more, so that nothing is held open for nobody. */
	idle(): Promise<void>;
	/** Milliseconds from the end of one reading to the next. */
	intervalMs: number;
	/** Milliseconds from one sign of life to the next, while nothing changes. */
	heartbeatMs: number;
	/** Pages that may be open at the same time. */
	maxListeners: number;
}

/** What a listener may have unread before it is cut off, in bytes; its page then connects anew and gets everything. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;
const SLOWEST_RETRY_MS = 10_000;

/**
 * Reads the catalog for as long as anybody listens, and sends everybody what has changed: one reading for all of them.
 * A new listener gets everything first.
 */
export class Feed {
	private readonly listeners = new Set<PassThrough>();
	/** The sections as they were last sent, in JSON. */
	private sent = new Map<string, string>();
	/** What the catalog's clock is ahead of this one's, in milliseconds. */
	private aheadMs = 0;
	private running: Promise<void> | undefined;
	private wake: () => void = () => {};
	private failures = 0;
	private lostSince: string | undefined;

	constructor(private readonly options: FeedOptions) {}

	/** A stream of server-sent events; undefined when as many listen as may. */
	listen(): Readable | undefined {
		if (this.listeners.size >= this.options.maxListeners) {
			return undefined;
		}
		const listener = new PassThrough();
		listener.once("close", () => this.forget(listener));
		// A page that went away while it was written to.
		listener.on("error", () => {});
		this.listeners.add(listener);
		listener.write("retry: 1000\n\n");
		if (this.sent.size > 0) {
			listener.write(this.stateEvent([...this.sent]));
		}
		this.running ??= this.run();
		return listener;
	}

	/** Ends every stream, and what is under way. */
	async close(): Promise<void> {
		for (const listener of this.listeners) {
			listener.end();
		}
		this.listeners.clear();
		this.wake();
		await this.running;
	}

	private forget(listener: PassThrough): void {
		this.listeners.delete(listener);
		if (this.listeners.size === 0) {
			this.wake();
		}
	}

	private async run(): Promise<void> {
		const heartbeat = setInterval(
			() => this.send("event: heartbeat\ndata: {}\n\n"),
			this.options.heartbeatMs,
		);
		while (this.listeners.size > 0) {
			this.tell(await this.look());
			await this.pause();
		}
		clearInterval(heartbeat);
		this.sent.clear();
		await this.options.idle();
		this.running = undefined;
		// Somebody may have come while the reader was closed.
		if (this.listeners.size > 0) {
			this.running = this.run();
		}
	}

	private async look(): Promise<Partial<DashboardState>> {
		try {
			const { now, sections } = await this.options.read();
			this.failures = 0;
			this.lostSince = undefined;
			this.aheadMs = Date.parse(now) - Date.now();
			return { ...sections, catalog: { reachable: true } };
		} catch (error) {
			this.failures++;
			this.lostSince ??= new Date().toISOString();
			const catalog: CatalogReach = {
				reachable: false,
				since: this.lostSince,
				reason: error instanceof Error ? error.message : String(error),
			};
			return { catalog };
		}
	}

	private tell(sections: Partial<DashboardState>): void {
		const changed = Object.entries(sections)
			.map(([name, value]) => [name, JSON.stringify(value)] as const)
			.filter(([name, text]) => this.sent.get(name) !== text);
		for (const [name, text] of changed) {
			this.sent.set(name, text);
		}
		if (changed.length > 0) {
			this.send(this.stateEvent(changed));
		}
	}

	/** A `Change`, of sections that are in JSON already. */
	private stateEvent(sections: readonly (readonly [name: string, json: string])[]): string {
		const now = new Date(Date.now() + this.aheadMs).toISOString();
		const changed = sections.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",");
		return `event: state\ndata: {"now":${JSON.stringify(now)},"changed":{${changed}}}\n\n`;
	}

	private send(text: string): void {
		for (const listener of this.listeners) {
			if (listener.writableLength + listener.readableLength > MAX_BACKLOG_BYTES) {
				listener.destroy();
			} else {
				listener.write(text);
			}
		}
	}

	/** Longer after each failure; not at all once nobody listens. */
	private async pause(): Promise<void> {
		if (this.listeners.size === 0) {
			return;
		}
		const { intervalMs } = this.options;
		const wait = Math.min(
			intervalMs * 2 ** Math.min(this.failures, 10),
			Math.max(SLOWEST_RETRY_MS, intervalMs),
		);
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, wait);
			this.wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
