/** One preview or update from its first registration to its last deletion. */

import type { Child } from "./childProcess";
import type { Setting } from "./config";
import { DefaultProviders } from "./defaultProviders";
import { planDeletions } from "./deletions";
import { Bail, EngineError, messageOf } from "./errors";
import { Executor, type StepEvents } from "./executor";
import type { Goal, ReadGoal } from "./goal";
import type { ManagedProvider } from "./managedProvider";
import { ProgramMonitor, type UpdateInProgress } from "./monitor";
import { Plan } from "./plan";
import { Planner } from "./planner";
import { type OpenProvider, ProviderRegistry } from "./providerRegistry";
import { refreshAll } from "./refresh";
import type { EngineServer, Severity } from "./server";
import type { SnapshotManager } from "./snapshot";
import type { PendingOperation, ResourceState } from "./state";
import type { Step, StepContext } from "./steps";
import { ROOT_STACK_TYPE, typeOf } from "./urn";
import { equal, keepCiphertexts, type PropertyMap } from "./values";

/** Told of everything that happens, as it happens. */
export interface DeploymentEvents extends StepEvents {
	diagnostic(severity: Severity, urn: string, message: string, ephemeral: boolean): void;
	outputs(before: PropertyMap, now: PropertyMap): void;
}

export interface DeploymentOptions {
	stack: string;
	project: string;
	root: string;
	settings: Setting[];
	preview: boolean;
	parallel: number;
	/** The state before, in dependency order; belongs to the deployment from now on. */
	resources: ResourceState[];
	/** What earlier updates left unfinished. */
	operations: PendingOperation[];
	/** Absent in previews. */
	snapshots: SnapshotManager | undefined;
	server: EngineServer;
	events: DeploymentEvents;
	/** Makes providers; `find` looks up what this deployment has registered. */
	openProvider(pkg: string, find: (urn: string) => ResourceState | undefined): ReturnType<OpenProvider>;
	/** Starts the program; absent for destroy and refresh. */
	startProgram?: () => Child;
	/** Read the world into the state first. */
	refresh: boolean;
	/** Delete what the program did not register: false for a refresh alone. */
	delete: boolean;
}

export class Deployment implements UpdateInProgress {
	readonly preview: boolean;
	readonly root: string;
	private readonly plan: Plan;
	private readonly planner: Planner;
	private readonly providers: ProviderRegistry;
	private readonly executor: Executor;
	/** States that this deployment made, by URN: where outputs go, and what references resolve to. */
	private readonly made = new Map<string, ResourceState>();
	private queue: Promise<unknown> = Promise.resolve();
	private stackOutputs: { urn: string; outputs: PropertyMap } | undefined;
	private signalled = false;
	private stopped = false;
	private cancelled = false;
	private endEarly: () => void = () => {};
	private readonly ending = new Promise<void>((resolve) => {
		this.endEarly = resolve;
	});

	constructor(private readonly options: DeploymentOptions) {
		this.preview = options.preview;
		this.root = options.root;
		const { resources, events } = options;
		this.providers = new ProviderRegistry(
			(pkg) => options.openProvider(pkg, (urn) => this.made.get(urn)),
			(urn, id) =>
				this.plan.resources.find((state) => state.urn === urn && state.id === id) ?? this.made.get(urn),
		);
		this.plan = new Plan(
			options.stack,
			options.project,
			options.preview,
			this.providers,
			{
				error: (urn, message) => events.diagnostic("error", urn, message, false),
				warning: (urn, message) => events.diagnostic("warning", urn, message, false),
				info: (urn, message) => events.diagnostic("info", urn, message, false),
			},
			resources,
		);
		this.planner = new Planner(this.plan);
		const context: StepContext = {
			preview: options.preview,
			providers: this.providers,
			deletions: this.plan.deletes,
			wasInterrupted: (urn) =>
				options.operations.some(({ type, resource }) => type === "creating" && resource.urn === urn),
			warn: (urn, message) => events.diagnostic("warning", urn, message, false),
		};
		const stepEvents: StepEvents = {
			started: (step) => events.started(step),
			ended: (step, problem) => {
				if (step.new !== undefined && step.op !== "replace") this.made.set(step.urn, step.new);
				events.ended(step, problem);
			},
			error: (urn, message) => events.error(urn, message),
		};
		this.executor = new Executor(
			context,
			options.snapshots,
			stepEvents,
			() => this.endEarly(),
			options.parallel,
		);
	}

	/**
	 * Runs to the end.
	 * @throws Bail when it failed or was cancelled; why has been shown.
	 */
	async run(): Promise<void> {
		const { options } = this;
		let failed = false;
		try {
			if (options.refresh) await this.refresh();
			if (!this.stopped && options.startProgram !== undefined) await this.runProgram(options.startProgram);
			if (!this.stopped && options.delete) await this.runDeletions();
			await this.executor.idle();
			failed = this.stopped || this.executor.failed || this.plan.failed;
			this.finishOutputs(failed);
			options.snapshots?.flush();
		} catch (error) {
			this.stop();
			await this.executor.idle();
			if (!(error instanceof Bail)) this.report("", error);
			failed = true;
		} finally {
			options.server.monitor = undefined;
			await this.providers.close();
		}
		if (!failed) return;
		const what = options.preview ? "preview" : "update";
		if (this.cancelled) options.events.diagnostic("error", "", `${what} canceled`, false);
		else if (this.executor.failed) options.events.diagnostic("error", "", `${what} failed`, false);
		throw new Bail();
	}

	/** Ends as soon as the running operations have ended. */
	cancel(): void {
		this.cancelled = true;
		this.stop();
		void this.providers.cancel().catch((error) => this.report("", error));
	}

	private stop(): void {
		this.stopped = true;
		this.executor.stop();
		this.endEarly();
	}

	private report(urn: string, error: unknown): void {
		this.options.events.error(urn, messageOf(error));
	}

	private async refresh(): Promise<void> {
		const resources = await refreshAll(this.plan, (steps) =>
			Promise.all(steps.map((step) => this.executor.run([step]))),
		);
		if (this.executor.failed || this.stopped) throw new Bail();
		this.plan.rebase(resources);
		this.options.snapshots?.rebase(resources);
	}

	private async runProgram(startProgram: () => Child): Promise<void> {
		const defaults = new DefaultProviders(this.options.settings, (goal) => this.register(goal));
		this.options.server.monitor = new ProgramMonitor(this, defaults);
		const program = startProgram();
		try {
			const exit = await Promise.race([program.exited, this.ending.then(() => undefined)]);
			await this.queue;
			await this.executor.idle();
			if (exit === undefined) {
				program.interrupt();
				await Promise.race([program.exited, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
			} else if (exit.code !== 0) {
				// The SDK's runner exits with 32 when it has told already what is wrong.
				if (exit.code !== 32) this.report("", new EngineError(programProblem(exit.code, exit.signal)));
				this.stop();
			} else if (!this.signalled) {
				this.report(
					"",
					new EngineError("the program ended before it had registered everything (process.exit?)"),
				);
				this.stop();
			}
		} finally {
			await program.end();
		}
	}

	private async runDeletions(): Promise<void> {
		const kept = new Set<ResourceState>();
		for (const round of await planDeletions(this.plan)) {
			const steps = round.filter((step) => !kept.has(step.old!));
			const failed: Step[] = [];
			await Promise.all(
				steps.map(async (step) => {
					await this.executor.run([step]);
					if (this.executor.hasFailed(step)) failed.push(step);
				}),
			);
			if (this.stopped) return;
			for (const { old } of failed) for (const state of this.plan.graph.neededBy(old!)) kept.add(state);
		}
	}

	/** The stack's outputs are those of the program; after a failure, the old ones with what is new. */
	private finishOutputs(failed: boolean): void {
		if (this.stackOutputs === undefined) return;
		const state = this.made.get(this.stackOutputs.urn);
		if (state === undefined) return;
		const before = this.plan.olds.get(this.stackOutputs.urn)?.outputs ?? {};
		const outputs = failed ? { ...before, ...this.stackOutputs.outputs } : this.stackOutputs.outputs;
		keepCiphertexts(outputs, before);
		state.outputs = outputs;
		this.options.snapshots?.note({});
		this.options.events.outputs(before, outputs);
	}

	private enqueue(urn: string, work: () => Promise<Step[]> | Step[]): void {
		this.queue = this.queue.then(async () => {
			if (this.stopped) return;
			try {
				const steps = await work();
				if (steps.length > 0) void this.executor.run(steps);
			} catch (error) {
				if (!(error instanceof Bail)) this.report(urn, error);
				this.stop();
			}
		});
	}

	register(goal: Goal): Promise<ResourceState> {
		return new Promise((answer) => this.enqueue("", () => this.planner.register(goal, answer)));
	}

	read(goal: ReadGoal): Promise<ResourceState> {
		return new Promise((answer) => this.enqueue("", () => this.planner.read(goal, answer)));
	}

	setOutputs(urn: string, outputs: PropertyMap): Promise<void> {
		return new Promise((answer) => {
			this.enqueue(urn, () => {
				if (typeOf(urn) === ROOT_STACK_TYPE) {
					this.stackOutputs = { urn, outputs };
				} else {
					const state = this.made.get(urn);
					if (state === undefined) {
						throw new EngineError(`cannot complete a resource '${urn}' whose registration isn't pending`);
					}
					const before = this.plan.olds.get(urn)?.outputs;
					keepCiphertexts(outputs, before);
					state.outputs = outputs;
					if (!equal(before, outputs)) this.options.snapshots?.note({});
				}
				answer();
				return [];
			});
		});
	}

	provider(reference: string): ManagedProvider | undefined {
		return this.providers.get(reference);
	}

	abort(urn: string, error: unknown): Promise<never> {
		if (!(error instanceof Bail)) this.report(urn, error);
		this.stop();
		return new Promise(() => {});
	}

	programFinished(): void {
		this.signalled = true;
	}

	log(severity: Severity, message: string, urn: string, ephemeral: boolean): void {
		this.options.events.diagnostic(severity, urn, message, ephemeral);
	}
}

function programProblem(code: number | null, signal: NodeJS.Signals | null): string {
	return signal === null
		? `Program exited with non-zero exit code: ${code}`
		: `Program was ended by ${signal}`;
}
