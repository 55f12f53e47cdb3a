/** Runs steps: chains in order, different chains at once, and nothing new after a failure. */
import { Bail, messageOf } from "./errors";
import type { SnapshotManager } from "./snapshot";
import type { ResourceState } from "./state";
import { applyStep, operationOf, ProtectedError, type Step, type StepContext } from "./steps";

export interface StepEvents {
	started(step: Step): void;
	/** `problem` is the reason of a failure; it has been reported. */
	ended(step: Step, problem: string | undefined): void;
	error(urn: string, message: string): void;
}

export class Executor {
	private readonly running = new Set<Promise<void>>();
	private readonly waiting: (() => void)[] = [];
	private free: number;
	private stopped = false;
	private readonly failures = new Set<Step>();
	/** Whether any step failed. */
	failed = false;

	/**
	 * @param snapshots absent in previews, which change no state
	 * @param onFailure called once, when the first step fails
	 * @param parallel how many chains run at once
	 */
	constructor(
		private readonly context: StepContext,
		private readonly snapshots: SnapshotManager | undefined,
		private readonly events: StepEvents,
		private readonly onFailure: () => void,
		parallel: number,
	) {
		this.free = parallel;
	}

	/** Starts no further steps; those that run go on. */
	stop(): void {
		this.stopped = true;
	}

	/** Runs the steps of a chain one after the other. Resolves when the chain has ended, well or not. */
	run(chain: Step[]): Promise<void> {
		const work = this.runChain(chain).finally(() => this.running.delete(work));
		this.running.add(work);
		return work;
	}

	hasFailed(step: Step): boolean {
		return this.failures.has(step);
	}

	/** Resolves when nothing runs any more. */
	async idle(): Promise<void> {
		while (this.running.size > 0) await Promise.all(this.running);
	}

	private async runChain(chain: Step[]): Promise<void> {
		if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
		else this.free--;
		try {
			for (const step of chain) {
				if (this.stopped || !(await this.runStep(step))) return;
			}
		} finally {
			const next = this.waiting.shift();
			if (next === undefined) this.free++;
			else next();
		}
	}

	private fail(step: Step, error: unknown): void {
		if (!(error instanceof Bail)) this.events.error(step.urn, messageOf(error));
		this.failures.add(step);
		const first = !this.failed;
		this.failed = true;
		if (error instanceof ProtectedError || step.op === "refresh") return;
		this.stop();
		if (first) this.onFailure();
	}

	private async runStep(step: Step): Promise<boolean> {
		this.events.started(step);
		const operation = operationOf(step);
		try {
			if (operation !== undefined) this.snapshots?.begin(operation.state, operation.type);
		} catch (error) {
			this.fail(step, error);
			this.events.ended(step, messageOf(error));
			return false;
		}
		let problem: unknown;
		let done = true;
		try {
			const message = await applyStep(step, this.context);
			if (message !== undefined) problem = new Error(message);
		} catch (error) {
			problem = error;
			done = false;
		}
		try {
			this.record(step, operation?.state, done);
		} catch (error) {
			problem ??= error;
		}
		if (problem !== undefined) {
			this.fail(step, problem);
			this.events.ended(step, messageOf(problem));
			return false;
		}
		this.events.ended(step, undefined);
		if (step.new !== undefined) step.answer?.(step.new);
		return true;
	}

	private record(step: Step, operation: ResourceState | undefined, done: boolean): void {
		const { snapshots } = this;
		if (snapshots === undefined || step.op === "replace" || step.op === "refresh") return;
		const outcome = done ? outcomeOf(step) : {};
		if (step.op === "same") snapshots.note(outcome);
		else snapshots.end(operation, outcome);
	}
}

/** What a step that was done means for the state. */
function outcomeOf({ op, old, new: state }: Step): { gone?: ResourceState; made?: ResourceState } {
	const awaitsReplacement = old?.pendingReplacement === true;
	switch (op) {
		case "create":
		case "create-replacement":
			return { made: state, gone: awaitsReplacement ? old : undefined };
		case "same":
		case "update":
		case "read":
			return { gone: old, made: state };
		case "read-replacement":
			return { made: state };
		case "remove-pending-replace":
			return { gone: old };
		default:
			return { gone: awaitsReplacement ? undefined : old };
	}
}
