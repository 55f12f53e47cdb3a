import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** A write that was answered with success, and so must never be lost. */
export interface AcknowledgedWrite {
	/** Its own word in `count_type`. */
	marker: string;
	id: number;
	value: number;
}

export interface LoadReport {
	reads: number;
	writes: number;
	/** Every answer that was not a success, in words, with when it came. */
	failures: { at: number; what: string }[];
	acknowledged: AcknowledgedWrite[];
	/** When writes were acknowledged, in milliseconds of `performance.now()`. */
	acknowledgedAt: number[];
	/** Milliseconds that each request took, with when it was answered. */
	latencies: { at: number; ms: number }[];
}

export interface LoadOptions {
	/** The router's public address. */
	url: string;
	cameraIds: readonly number[];
	readsPerSecond: number;
	writesPerSecond: number;
}

const TICK_MS = 10;
const TIMEOUT_MS = 30_000;
/** Every so many writes one is a batch. */
const BATCH_EVERY = 25;
const BATCH_SIZE = 5;

/** Reads and writes through the public address at a constant rate, however long answers take, until it is stopped. */
export class Load {
	private readonly agent = new Agent({ keepAlive: true, maxSockets: 128 });
	private readonly pending = new Set<Promise<void>>();
	private readonly run: string;
	private readonly report: LoadReport = {
		reads: 0,
		writes: 0,
		failures: [],
		acknowledged: [],
		acknowledgedAt: [],
		latencies: [],
	};
	private running = true;
	private written = 0;
	private readonly done: Promise<void>;

	constructor(private readonly options: LoadOptions) {
		this.run = `load-${process.pid.toString(36)}-${Date.now().toString(36)}`;
		this.done = this.keepSending();
	}

	/** What has happened so far. */
	get soFar(): Readonly<LoadReport> {
		return this.report;
	}

	async stop(): Promise<LoadReport> {
		this.running = false;
		await this.done;
		await Promise.all(this.pending);
		this.agent.destroy();
		return this.report;
	}

	private async keepSending(): Promise<void> {
		const { readsPerSecond, writesPerSecond } = this.options;
		const started = performance.now();
		let reads = 0;
		let writes = 0;
		while (this.running) {
			const elapsed = (performance.now() - started) / 1000;
			for (; writes < elapsed * writesPerSecond; writes++) {
				this.track(writes % BATCH_EVERY === 0 ? this.writeBatch() : this.writeOne());
			}
			for (; reads < elapsed * readsPerSecond; reads++) {
				this.track(this.read(reads));
			}
			await sleep(TICK_MS);
		}
	}

	private track(work: Promise<void>): void {
		const tracked = work.finally(() => this.pending.delete(tracked));
		this.pending.add(tracked);
	}

	private async read(count: number): Promise<void> {
		this.report.reads++;
		// Without the index that the release brings, reading a camera's results means reading all of them.
		const path = count % 10 === 0 ? "/cameras?limit=20" : `/cameras/${this.camera(count)}`;
		await this.ask("GET", path);
	}

	private async writeOne(): Promise<void> {
		this.report.writes++;
		const result = this.next();
		const answer = await this.ask("POST", "/counting-results", result);
		if (answer !== undefined) {
			this.acknowledge([result], [(answer as { id: number }).id]);
		}
	}

	private async writeBatch(): Promise<void> {
		this.report.writes++;
		const results = Array.from({ length: BATCH_SIZE }, () => this.next());
		const answer = await this.ask("POST", "/counting-results/batch", results);
		if (answer !== undefined) {
			this.acknowledge(results, (answer as { ids: number[] }).ids);
		}
	}

	private next(): { cameraId: number; countType: string; countValue: number } {
		const number = this.written++;
		return { cameraId: this.camera(number), countType: `${this.run}-${number}`, countValue: number };
	}

	private camera(count: number): number {
		const { cameraIds } = this.options;
		return cameraIds[count % cameraIds.length]!;
	}

	private acknowledge(results: { countType: string; countValue: number }[], ids: number[]): void {
		for (const [index, { countType, countValue }] of results.entries()) {
			this.report.acknowledged.push({ marker: countType, id: ids[index]!, value: countValue });
		}
		this.report.acknowledgedAt.push(performance.now());
	}

	/** The answer to one request; undefined when it was no success, which is then among the failures. */
	private ask(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
		const started = performance.now();
		const payload = body === undefined ? undefined : JSON.stringify(body);
		return new Promise((resolve) => {
			const fail = (what: string) => {
				this.report.failures.push({
					at: performance.now(),
					what: `${method} ${path.split("?")[0]}: ${what}`,
				});
				resolve(undefined);
			};
			const outgoing = request(
				this.options.url + path,
				{
					method,
					agent: this.agent,
					timeout: TIMEOUT_MS,
					...(payload !== undefined && {
						headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload) },
					}),
				},
				(incoming) => {
					const chunks: Buffer[] = [];
					incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
					incoming.on("error", (error) => fail(error.message));
					incoming.on("end", () => {
						this.report.latencies.push({ at: performance.now(), ms: performance.now() - started });
						const text = Buffer.concat(chunks).toString();
						if ((incoming.statusCode ?? 0) >= 300) {
							fail(`${incoming.statusCode} ${text}`);
						} else {
							resolve(JSON.parse(text));
						}
					});
				},
			);
			outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
			outgoing.on("error", (error) => fail(error.message));
			outgoing.end(payload);
		});
	}
}

/** The longest time of a span without any of the moments, in milliseconds; also at its ends. */
export function longestGap(moments: readonly number[], from: number, to: number): number {
	const within = [from, ...moments.filter((at) => at >= from && at <= to), to];
	let longest = 0;
	for (let index = 1; index < within.length; index++) {
		longest = Math.max(longest, within[index]! - within[index - 1]!);
	}
	return longest;
}
