import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig, DatabaseError, type Notification } from "pg";
import type { Logger } from "pino";
import type { ServiceConfig } from "./config";
import { sessionOf } from "./database";

/** Told by whoever opens or closes the database to the application. */
const FENCE_CHANNEL = "deployment_write_fence";
/** Told by the processes of this service: ids of cameras that have new results. */
const INGEST_CHANNEL = "counting_results_ingested";
const RECONNECT_MS = 500;
/** What a lost notification, or a lost connection that nobody has noticed, costs at the most, in milliseconds. */
const CHECK_EVERY_MS = 2000;
const CHECK_TIMEOUT_MS = 1500;
const ANNOUNCE_EVERY_MS = 100;
/** PostgreSQL's limit is 8000 bytes. */
const LONGEST_PAYLOAD = 7900;
const EVERY_CAMERA = "*";
const READ_ONLY = "25006";
/** Changes nothing, never waits, and is refused where a real write would be. */
const PROBE = "LOCK TABLE cameras IN ROW EXCLUSIVE MODE NOWAIT; DELETE FROM cameras WHERE false";

/**
 * - `open`: the database lets the application write, so this is the colour that has the traffic.
 * - `closed`: it does not; rows may come in by replication, of which nobody tells.
 * - `unknown`: the database cannot be asked at the moment.
 */
export type ColorState = "open" | "closed" | "unknown";

export interface ColorListener {
	/** The state may have changed: what was known of rows before holds no more. */
	onState?(state: ColorState): void;
	/** Results of these cameras have been stored, here or by another process; undefined: of any. */
	onIngested?(cameraIds: readonly number[] | undefined): void;
}

/**
 * Knows whether this process' colour is the live one, over a connection of its own: it listens for the write fence, and
 * asks now and then besides. Carries between the processes of a colour which cameras have new results.
 */
export class ColorWatch {
	private current: ColorState = "unknown";
	private readonly listeners: ColorListener[] = [];
	private readonly stopping = new AbortController();
	private readonly session: ClientConfig;
	/** Counts what was heard of the fence: an answer that was asked for before is worth nothing. */
	private heard = 0;
	private wake = () => {};
	private readonly untold = new Set<number>();
	private running: Promise<void> = Promise.resolve();

	constructor(
		config: ServiceConfig,
		private readonly log: Logger,
	) {
		this.session = {
			...sessionOf(config.database, config.release),
			connectionTimeoutMillis: CHECK_TIMEOUT_MS,
			statement_timeout: CHECK_TIMEOUT_MS,
			query_timeout: CHECK_TIMEOUT_MS,
		};
	}

	get state(): ColorState {
		return this.current;
	}

	listen(listener: ColorListener): void {
		this.listeners.push(listener);
	}

	/** Connects, and connects again whenever the connection is lost, until it is closed. */
	start(): void {
		this.running = this.run();
	}

	async close(): Promise<void> {
		this.stopping.abort();
		this.wake();
		await this.running;
	}

	/** Tells that cameras have new results, after those are committed: here at once, other processes of this colour soon. */
	announce(cameraIds: Iterable<number>): void {
		const ids = new Set(cameraIds);
		this.spread([...ids]);
		if (ids.size > 0 && this.untold.size === 0) {
			setTimeout(() => this.wake(), ANNOUNCE_EVERY_MS).unref();
		}
		for (const id of ids) {
			this.untold.add(id);
		}
	}

	private spread(cameraIds: readonly number[] | undefined): void {
		for (const listener of this.listeners) {
			listener.onIngested?.(cameraIds);
		}
	}

	/**
	 * One notification for many ingests: PostgreSQL commits transactions that notify one after the other. A process that
	 * is not told asks again when its answers have had their time.
	 */
	private async tell(client: Client): Promise<void> {
		const ids = [...this.untold].join(",");
		this.untold.clear();
		if (ids !== "") {
			const payload = ids.length > LONGEST_PAYLOAD ? EVERY_CAMERA : ids;
			await client.query("SELECT pg_notify($1, $2)", [INGEST_CHANNEL, payload]);
		}
	}

	private async run(): Promise<void> {
		const { signal } = this.stopping;
		while (!signal.aborted) {
			try {
				await this.connected();
			} catch (error) {
				const reason = error instanceof Error ? error.message : String(error);
				this.log.warn({ reason }, "the database cannot be watched: answers are not cached, jobs wait");
			}
			this.become("unknown");
			await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {});
		}
	}

	private async connected(): Promise<void> {
		const client = new Client(this.session);
		let failure: Error | undefined;
		client.on("error", (error) => {
			failure = error;
			this.wake();
		});
		client.on("end", () => {
			failure ??= new Error("the connection was closed");
			this.wake();
		});
		client.on("notification", (notification) => this.hear(notification, client));
		try {
			await client.connect();
			await client.query(`LISTEN ${FENCE_CHANNEL}; LISTEN ${INGEST_CHANNEL}`);
			while (!this.stopping.signal.aborted) {
				if (failure !== undefined) {
					throw failure;
				}
				await this.check(client);
				await this.tell(client);
			}
		} finally {
			await client.end().catch(() => {});
		}
	}

	/** Asks, and then waits until it is time to ask again. */
	private async check(client: Client): Promise<void> {
		const heard = this.heard;
		const woken = new Promise<void>((resolve) => {
			this.wake = resolve;
		});
		const found = await acceptsWrites(client);
		if (heard !== this.heard) {
			return;
		}
		this.become(found);
		const waiting = new AbortController();
		await Promise.race([
			woken,
			sleep(CHECK_EVERY_MS, undefined, { signal: waiting.signal, ref: false }).catch(() => {}),
		]);
		waiting.abort();
	}

	private hear({ channel, payload = "", processId }: Notification, client: Client): void {
		if (channel === FENCE_CHANNEL) {
			this.heard++;
			this.become("unknown");
			this.wake();
		} else if (processId !== processOf(client)) {
			this.spread(payload === EVERY_CAMERA ? undefined : payload.split(",").map(Number));
		}
	}

	private become(state: ColorState): void {
		if (state === this.current) {
			return;
		}
		this.log.info({ was: this.current, is: state }, "the colour's state changed");
		this.current = state;
		for (const listener of this.listeners) {
			listener.onState?.(state);
		}
	}
}

async function acceptsWrites(client: Client): Promise<ColorState> {
	try {
		await client.query(PROBE);
		return "open";
	} catch (error) {
		if (error instanceof DatabaseError) {
			return error.code === READ_ONLY ? "closed" : "unknown";
		}
		throw error;
	}
}

/** The server process of a connection; not part of the types of `pg`. */
function processOf(client: Client): number | null {
	return (client as Client & { processID: number | null }).processID;
}
