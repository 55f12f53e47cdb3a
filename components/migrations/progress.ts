import type { ClientBase } from "pg";
import { type MigrationStep, setCatalogDigest, writeSteps } from "../catalog/migrations";

/**
 * Tells the catalog what a run does while it does it. Steps are written in their order without holding the run up: while
 * one statement is under way, what happens meanwhile gathers for the next. They become durable with {@link settle};
 * what a crash loses of them is copied from the target's records at the beginning of the next run.
 */
export class Progress {
	private waiting: MigrationStep[] = [];
	private writing: Promise<void> | undefined;
	private failure: unknown;

	constructor(
		private readonly client: ClientBase,
		private readonly target: string,
	) {}

	/**
	 * @throws the error of an earlier write: a run must not go on when it cannot be recorded.
	 */
	write(step: MigrationStep): void {
		if (this.failure !== undefined) throw this.failure;
		this.waiting.push(step);
		this.writing ??= this.writeWaiting();
	}

	/** Waits until every step is written and durable. A digest says that the catalog equals the target's records. */
	async settle(digest: string | null): Promise<void> {
		await this.writing;
		if (this.failure !== undefined) throw this.failure;
		await setCatalogDigest(this.client, this.target, digest);
	}

	private async writeWaiting(): Promise<void> {
		try {
			while (this.waiting.length > 0) {
				const steps = this.waiting;
				this.waiting = [];
				await writeSteps(this.client, steps);
			}
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			this.failure = new Error(`the catalog cannot be written: ${why}`, { cause: error });
		} finally {
			this.writing = undefined;
		}
	}
}
