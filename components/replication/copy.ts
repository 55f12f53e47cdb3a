import type { Client } from "pg";
import { Comparison, type Verification } from "./checksums";
import { type Chunk, copyStatements, divide } from "./copy-chunks";
import type { CopyProgress } from "./copy-progress";
import { CopySessions } from "./copy-sessions";
import { relayRows } from "./copy-stream";
import { share, type Task, type Worker } from "./copy-workers";
import { deferIndexes, deferredIndexes, joinIndexes } from "./deferred-indexes";
import { type Node, nodeName } from "./node";
import { assertSlotIsWhole, dropSlot, withSlotSnapshot } from "./snapshot";
import { type ReplicatedTable, replicatedTables, shownName } from "./tables";

export interface CopyOptions {
	/** The colour that goes on being written. */
	source: Node;
	/** The colour that gets the rows. It has the same tables; the rows in them are removed. */
	target: Node;
	/** The logical slot that is made on the source; what changes after the copy's snapshot waits in it. */
	slot: string;
	/** Parallel streams. */
	workers: number;
	/** Whether tables are compared by number of rows, or by what is in them as well. */
	verification: Verification;
	/** Milliseconds until the copy is given up. */
	timeoutMs: number;
	/** Milliseconds that making the slot may wait for open transactions on the source's server. */
	slotTimeoutMs: number;
	log(line: string): void;
	/** Told the name of each step before it begins. */
	step?(name: CopyStep): Promise<void>;
}

export type CopyStep = "truncate" | "drop indexes" | "slot" | "copy" | "verify" | "indexes" | "analyze";

export interface CopyReport {
	tables: number;
	rows: number;
	/** As they went over the network. */
	bytes: number;
	durationMs: number;
}

/** Memory for building one index, in kilobytes, unless the server gives more. */
const INDEX_MEMORY_KB = 256 << 10;

/**
 * Gives the target the rows that the source had at one point in time, from which on a new logical slot keeps all
 * changes. The source is read in parallel under one snapshot, locking nothing but against changes of its schema.
 * A copy that failed or was killed is begun anew by calling this again. After a failure no slot is left on the source.
 *
 * @throws Error naming the step and, where there is one, the table
 */
export async function copyData(options: CopyOptions): Promise<CopyReport> {
	const begun = performance.now();
	const sessions = new CopySessions(options.timeoutMs);
	const copy = new Copy(options, sessions);
	try {
		const totals = await copy.run();
		await sessions.close();
		return { ...totals, durationMs: performance.now() - begun };
	} catch (error) {
		sessions.cut(error);
		await sessions.close();
		throw await explain(options, copy, sessions.cause(error));
	}
}

async function explain({ source, target, slot }: CopyOptions, copy: Copy, cause: unknown): Promise<Error> {
	const why = message(cause);
	const what = `the copy from ${nodeName(source)} to ${nodeName(target)} failed at the step "${copy.step}": ${why}`;
	const left = copy.mayHaveSlot ? await dropSlot(source, slot).catch(message) : undefined;
	const note = left === undefined ? "" : `; the slot ${slot} stays behind until the next copy (${left})`;
	return new Error(`${what}${note}`, { cause });
}

class Copy {
	step: CopyStep = "truncate";
	/** Whether it has come so far that there may be a slot to drop. */
	mayHaveSlot = false;
	private bytes = 0;

	constructor(
		private readonly options: CopyOptions,
		private readonly sessions: CopySessions,
	) {}

	async run(): Promise<Omit<CopyReport, "durationMs">> {
		const { source, slot, slotTimeoutMs } = this.options;
		await this.clearTarget();
		await this.enter("slot");
		await dropSlot(source, slot, slotTimeoutMs);
		this.mayHaveSlot = true;
		const workers = await withSlotSnapshot(this.sessions, this.options, (snapshot) => this.hire(snapshot));
		// As the snapshot shows them: a partition that was added since the target was cleared belongs to the copy.
		const tables = await replicatedTables(workers[0]!.source);
		const chunks = divide(tables);

		await this.enter("copy");
		const sent = await this.copyChunks(workers, chunks);
		await this.enter("verify");
		await this.compare(workers, sent);
		// From here on nothing keeps the source from cleaning up after its writers.
		await Promise.all(workers.map((worker) => this.sessions.end(worker.source)));
		await this.enter("indexes");
		await this.buildIndexes(workers);
		await this.enter("analyze");
		await this.analyze(workers, tables);
		const check = await this.sessions.source(source);
		await assertSlotIsWhole(check, this.options);
		const rows = [...sent.values()].reduce((sum, each) => sum + each, 0);
		return { tables: tables.length, rows, bytes: this.bytes };
	}

	private async clearTarget(): Promise<void> {
		await this.enter("truncate");
		const source = await this.sessions.source(this.options.source);
		const target = await this.sessions.target(this.options.target);
		const tables = await replicatedTables(source);
		await this.assertTables(target, tables);
		if (tables.length > 0) await target.query(`TRUNCATE ${tables.map(({ sql }) => sql).join(", ")}`);
		await this.enter("drop indexes");
		await deferIndexes(target, tables);
		await this.sessions.end(source);
		await this.sessions.end(target);
	}

	private async assertTables(target: Client, tables: readonly ReplicatedTable[]): Promise<void> {
		const there = new Set((await replicatedTables(target)).map(({ sql }) => sql));
		const missing = tables.filter(({ sql }) => !there.has(sql)).map(shownName);
		if (missing.length > 0) {
			const { source, target } = this.options;
			throw new Error(
				`${nodeName(target)} lacks ${missing.join(", ")}: apply the migrations of ${nodeName(source)} to it first`,
			);
		}
	}

	private async hire(snapshot: string): Promise<Worker[]> {
		const { source, target, workers } = this.options;
		return Promise.all(
			Array.from({ length: workers }, async () => {
				const worker = {
					source: await this.sessions.source(source),
					target: await this.sessions.target(target),
				};
				await worker.source.query(
					`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT '${snapshot}'`,
				);
				return worker;
			}),
		);
	}

	/** Returns how many rows each chunk had. */
	private async copyChunks(workers: Worker[], chunks: Chunk[]): Promise<Map<Chunk, number>> {
		const sent = new Map<Chunk, number>();
		const tasks = chunks.map((chunk) => ({
			...taskOf(chunk),
			run: async ({ source, target }: Worker, progress: CopyProgress) => {
				const statements = copyStatements(chunk);
				const rows = await relayRows(source, statements.out, target, statements.in, (bytes) => {
					progress.moved(0, bytes);
					this.bytes += bytes;
				});
				progress.moved(rows, 0);
				sent.set(chunk, rows);
			},
		}));
		await this.share(workers, "copied", "tables", tasks);
		return sent;
	}

	private async compare(workers: Worker[], sent: Map<Chunk, number>): Promise<void> {
		const { source, target, verification } = this.options;
		const comparison = new Comparison(verification);
		const tasks = [...sent].map(([chunk, rows]) => ({
			...taskOf(chunk),
			run: (worker: Worker) => comparison.add(worker, chunk, rows),
		}));
		await this.share(workers, "compared", "tables", tasks);
		const differences = comparison.differences(nodeName(source), nodeName(target));
		if (differences.length > 0) throw new Error(differences.join("; "));
	}

	private async buildIndexes(workers: Worker[]): Promise<void> {
		const { target } = workers[0]!;
		const indexes = await deferredIndexes(target);
		for (const worker of workers) {
			await worker.target.query(
				`SELECT set_config(name, greatest(setting::integer, ${INDEX_MEMORY_KB})::text, false)
				FROM pg_settings WHERE name = 'maintenance_work_mem'`,
			);
		}
		const tasks = indexes
			.filter(({ partitioned }) => !partitioned)
			.map(({ name, definition, tableBytes }) => ({
				name,
				weight: tableBytes,
				run: async (worker: Worker) => {
					await worker.target.query(definition);
				},
			}));
		await this.share(workers, "built", "indexes", tasks);
		await joinIndexes(target, indexes);
	}

	private async analyze(workers: Worker[], tables: readonly ReplicatedTable[]): Promise<void> {
		const tasks = tables.map((table) => ({
			name: shownName(table),
			weight: 1,
			run: async ({ target }: Worker) => {
				await target.query(`ANALYZE ${table.sql}`);
			},
		}));
		await this.share(workers, "analyzed", "tables", tasks);
		// All that was written before is on the disk when this commit is.
		await workers[0]!.target.query(
			"SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'deployment-copy', '')",
		);
	}

	private share(workers: Worker[], done: string, what: string, tasks: Task[]): Promise<void> {
		return share(this.sessions, workers, tasks, { done, what, log: this.options.log });
	}

	private async enter(step: CopyStep): Promise<void> {
		this.step = step;
		await this.options.step?.(step);
	}
}

function taskOf({ table, bytes }: Chunk): Pick<Task, "name" | "weight"> {
	return { name: shownName(table), weight: bytes };
}

function message(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
