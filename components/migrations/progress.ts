import type { ClientBase } from "pg";
import { type MigrationStep, setCatalogDigest, writeSteps } from "../catalog/migrations";

/** How long steps gather before they are written together, when they come thick and fast. */
const GATHER_MS = 100;

/**
 * Tells the catalog what a run does while it does it. Steps are written in their order without holding the run up.
 * They become durable with {@link settle}; what a crash loses of them is copied from the target's records at the
 * beginning of the next run.
 */
export class Progress {
	private waiting: MigrationStep[] = [];
	private writing: Promise<void> | undefined;
	private failure: unknown;
	private settling = false;
	private endPause = () => {};

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
		this.settling = true;
		this.endPause();
		await this.writing;
		this.settling = false;
		if (this.failure !== undefined) throw this.failure;
		await setCatalogDigest(this.client, this.target, digest);
	}

	private async writeWaiting(): Promise<void> {
		try {
			while (this.waiting.length > 0) {
				const steps = this.waiting;
				this.waiting = [];
				await writeSteps(this.client, steps);
				if (!this.settling) await this.pause();
			}
		} catch (error) {
			const why = error instanceof Error ? error.message : String(error);
			this.failure = new Error(`the catalog cannot be written: ${why}`, { cause: error });
		} finally {
			this.writing = undefined;
		}
	}

	private async pause(): Promise<void> {
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, GATHER_MS);
			this.endPause = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
