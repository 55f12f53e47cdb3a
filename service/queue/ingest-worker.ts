import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError, type Pool } from "pg";
import type { Logger } from "pino";
import type { ColorWatch } from "../color-watch";
import { camerasOf } from "../counting-results/new-result";
import { explainRefusal } from "../counting-results/unknown-camera";
import { toProblem } from "../problem";
import type { IngestJob, IngestQueue } from "./ingest-queue";
import { forgetOldBatches, storeOnce } from "./store-once";

/** How soon a job is seen that another process has added, or whose next try is due, in milliseconds. */
const POLL_MS = 500;
/** How long a job that could not be stored now is left alone, in milliseconds. */
const PUT_BACK_MS = 500;
const FORGET_EVERY_MS = 3_600_000;
const READ_ONLY = "25006";
const TIMED_OUT = "57014";

export interface WorkerOptions {
	queue: IngestQueue;
	pool: Pool;
	watch: ColorWatch;
	log: Logger;
	/** Milliseconds between two looks for forsaken jobs. */
	maintainEveryMs: number;
}

/** Stores the batches of the queue one after the other, as long as its colour is the live one. */
export class IngestWorker {
	private readonly stopping = new AbortController();
	private wake = () => {};
	private running: Promise<void> = Promise.resolve();
	private maintained = Number.NEGATIVE_INFINITY;
	private forgotten = performance.now();

	constructor(private readonly options: WorkerOptions) {
		options.watch.listen({ onState: () => this.wake() });
		options.queue.onAdded(() => this.wake());
	}

	/** Whether it takes jobs. */
	get state(): "working" | "resting" {
		return this.options.watch.state === "open" && !this.stopping.signal.aborted ? "working" : "resting";
	}

	start(): void {
		this.running = this.run();
	}

	/** Takes no further job, and waits for the one that is being stored. */
	async stop(): Promise<void> {
		this.stopping.abort();
		this.wake();
		await this.running;
	}

	private async run(): Promise<void> {
		while (!this.stopping.signal.aborted) {
			const woken = new Promise<void>((resolve) => {
				this.wake = resolve;
			});
			if ((await this.workOnce()) === "nothing to do") {
				await Promise.race([woken, sleep(POLL_MS, undefined, { ref: false })]);
			}
		}
	}

	private async workOnce(): Promise<"worked" | "nothing to do"> {
		if (this.state === "resting") {
			return "nothing to do";
		}
		try {
			await this.maintain();
			const job = await this.options.queue.take();
			if (job === undefined) {
				return "nothing to do";
			}
			return await this.work(job);
		} catch (error) {
			// The queue does not answer. A job that was taken gets its next try when its time is over.
			this.options.log.warn({ reason: messageOf(error) }, "the queue cannot be worked on");
			return "nothing to do";
		}
	}

	private async work(job: IngestJob): Promise<"worked" | "nothing to do"> {
		const { queue, pool, watch, log } = this.options;
		try {
			const stored = await storeOnce(pool, job);
			await queue.complete(job);
			log.info({ job: job.id, results: job.results.length, stored }, "batch ingested");
			return "worked";
		} catch (error) {
			if (isPassing(error)) {
				await queue.putBack(job, PUT_BACK_MS);
				log.info({ job: job.id, reason: messageOf(error) }, "batch put back into the queue");
				return "nothing to do";
			}
			log.warn({ job: job.id, err: error }, "batch could not be ingested");
			await queue.fail(job, await this.explain(job, error));
			return "worked";
		} finally {
			watch.announce(camerasOf(job.results));
		}
	}

	/** For whoever asks about the job. */
	private async explain({ results }: IngestJob, error: unknown): Promise<string> {
		const fieldName = (index: number, field: string) => `[${index}].${field}`;
		const reason = await explainRefusal(this.options.pool, results, fieldName, error).catch(() => error);
		return toProblem(reason).message;
	}

	private async maintain(): Promise<void> {
		const { queue, pool, maintainEveryMs } = this.options;
		const now = performance.now();
		if (now - this.maintained >= maintainEveryMs) {
			this.maintained = now;
			await queue.maintain();
		}
		if (now - this.forgotten >= FORGET_EVERY_MS) {
			this.forgotten = now;
			await forgetOldBatches(pool);
		}
	}
}

/** What is no fault of the batch's: the traffic moves, or the database is away. */
function isPassing(error: unknown): boolean {
	if (error instanceof DatabaseError && error.code === TIMED_OUT) {
		return false;
	}
	return (error instanceof DatabaseError && error.code === READ_ONLY) || toProblem(error).status === 503;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
