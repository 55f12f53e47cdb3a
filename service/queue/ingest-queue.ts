import type { Pool } from "pg";
import PgBoss from "pg-boss";
import type { Logger } from "pino";
import { z } from "zod";
import type { QueueConfig } from "../config";
import type { NewResult } from "../counting-results/new-result";
import { Problem } from "../problem";
import { QUEUE, SCHEMA } from "./schema";

/** Seconds before the first retry; each further one waits twice as long. */
const RETRY_DELAY_SECONDS = 1;
/** A job that no release has taken up for so long is dropped. */
const WAITING_DAYS = 30;

/** As clients are told. `dead`: it was tried as often as it may be; nothing of it was stored. */
export type JobState = "queued" | "running" | "done" | "dead";

export interface JobReport {
	id: string;
	state: JobState;
	/** Counting results in the batch. */
	results: number;
	/** How often it was begun. */
	tries: number;
	/** What the last try failed with. */
	error: string | null;
	queuedAt: string;
	finishedAt: string | null;
}

export interface IngestJob {
	/** The same for every try. */
	id: string;
	results: NewResult[];
}

interface Batch {
	results: NewResult[];
}

const STATES: Record<PgBoss.JobWithMetadata["state"], JobState> = {
	created: "queued",
	retry: "queued",
	active: "running",
	completed: "done",
	cancelled: "dead",
	failed: "dead",
};

const messageSchema = z.object({ message: z.string() });
const failureSchema = z.union([
	messageSchema.transform(({ message }) => message),
	z.object({ value: messageSchema }).transform(({ value }) => value.message),
]);

/**
 * Batches that wait to be stored. They are in a database of their own that belongs to no colour, so that they outlive
 * a switch. Every method throws what the database says when it does not answer.
 */
export class IngestQueue {
	private readonly boss: PgBoss;
	private readonly addListeners: (() => void)[] = [];

	constructor(
		private readonly config: QueueConfig,
		private readonly pool: Pool,
		log: Logger,
	) {
		const executeSql = async (text: string, values?: unknown[]) => {
			try {
				return await pool.query(text, values);
			} catch (error) {
				// The library keeps some of them to itself.
				log.warn({ reason: error instanceof Error ? error.message : String(error) }, "the queue failed");
				throw error;
			}
		};
		// Not started: its own timers would work for an idle colour, too.
		this.boss = new PgBoss({
			schema: SCHEMA,
			db: { executeSql },
			archiveCompletedAfterSeconds: config.keepSeconds,
			deleteAfterSeconds: 1,
		});
		this.boss.on("error", (error) => log.warn({ reason: error.message }, "the queue failed"));
	}

	/** Called when this process has added a job. */
	onAdded(listener: () => void): void {
		this.addListeners.push(listener);
	}

	/**
	 * Adds a job, which is on disk when its id is returned.
	 *
	 * @throws Problem 429 when as many are waiting as may; a few more are let in when many come at once
	 */
	async add(results: readonly NewResult[]): Promise<string> {
		const { maxJobs, tries, jobTimeoutSeconds } = this.config;
		if ((await this.waiting()) >= maxJobs) {
			throw new Problem(
				429,
				"queue_full",
				`${maxJobs} batches are waiting, no more are taken: try again shortly`,
			);
		}
		const id = await this.boss.send(
			QUEUE,
			{ results },
			{
				retryLimit: tries - 1,
				retryDelay: RETRY_DELAY_SECONDS,
				retryBackoff: true,
				expireInSeconds: jobTimeoutSeconds,
				retentionDays: WAITING_DAYS,
			},
		);
		if (id === null) {
			throw new Problem(503, "queue_missing", "the queue is not there: run the stack's update again");
		}
		for (const listener of this.addListeners) {
			listener();
		}
		return id;
	}

	/** Jobs that wait to be begun, those of a later try as well. */
	waiting(): Promise<number> {
		return this.boss.getQueueSize(QUEUE);
	}

	/** Takes the job that has waited longest; nobody else gets it until its time is over. */
	async take(): Promise<IngestJob | undefined> {
		const [job] = await this.boss.fetch<Batch>(QUEUE);
		return job && { id: job.id, results: job.data.results };
	}

	async complete({ id }: IngestJob): Promise<void> {
		await this.boss.complete(QUEUE, id);
	}

	/** Counts a try as failed. The next one comes later; after the last the job is dead. */
	async fail({ id }: IngestJob, message: string): Promise<void> {
		await this.boss.fail(QUEUE, id, { message });
	}

	/** Gives a job back as if it had not been taken; the library knows only failures. */
	async putBack({ id }: IngestJob, delayMs: number): Promise<void> {
		await this.pool.query(
			`UPDATE ${SCHEMA}.job SET started_on = NULL, start_after = now() + $3 * interval '1 millisecond',
				state = (CASE WHEN retry_count > 0 THEN 'retry' ELSE 'created' END)::${SCHEMA}.job_state
			WHERE name = $1 AND id = $2 AND state = 'active'`,
			[QUEUE, id, delayMs],
		);
	}

	/** What became of a job; undefined when there is none, or none any more. */
	async find(id: string): Promise<JobReport | undefined> {
		const job = await this.boss.getJobById<Batch>(QUEUE, id, { includeArchive: true });
		if (job === null) {
			return undefined;
		}
		const state = STATES[job.state];
		const failure = failureSchema.safeParse(job.output);
		return {
			id,
			state,
			results: job.data.results.length,
			tries: job.retryCount + (job.startedOn === null ? 0 : 1),
			error: state !== "done" && failure.success ? failure.data : null,
			queuedAt: job.createdOn.toISOString(),
			finishedAt: job.completedOn?.toISOString() ?? null,
		};
	}

	/** Gives forsaken jobs their next try, and drops finished ones that have been kept long enough. */
	async maintain(): Promise<void> {
		await this.boss.maintain();
	}

	async close(): Promise<void> {
		await this.pool.end();
	}
}
