/** preview, up, refresh and destroy: what they share from opening the stack to writing the history. */
import { cpus } from "node:os";
import { checkpointText, ENGINE_VERSION } from "./checkpoint";
import { Deployment } from "./deployment";
import { Display } from "./display";
import { DynamicHost, DynamicProvider } from "./dynamicHost";
import { EngineError, messageOf } from "./errors";
import { addToHistory, type UpdateKind } from "./history";
import { ManagedProvider } from "./managedProvider";
import { resolveSdk, startProgram } from "./program";
import { factoryOf } from "./providers";
import { EngineServer } from "./server";
import type { OpenStack, Session } from "./session";
import { SnapshotManager } from "./snapshot";
import { BuiltinPackage } from "./stackReferences";
import type { ResourceState } from "./state";

export interface OperationOptions {
	kind: UpdateKind;
	/** Only tell what would be done. */
	preview: boolean;
	/** Read the world into the state first. */
	refresh: boolean;
	/** Forget creations that earlier updates left unfinished. */
	clearPendingCreates: boolean;
	message: string;
	/** About the commit that it was made from, for the history. */
	sourceControl: { [name: string]: string };
}

export interface OperationResult {
	/** Whether anything changed, or would. */
	changes: boolean;
}

const LABELS: { [kind in UpdateKind]: [preview: string, update: string] } = {
	update: ["Previewing update", "Updating"],
	refresh: ["Previewing refresh", "Refreshing"],
	destroy: ["Previewing destroy", "Destroying"],
	import: ["Previewing import", "Importing"],
};

/** Runs previews and updates of one stack one after another; they share the server and the provider host. */
export class Operator {
	private readonly server = new EngineServer();
	private host: DynamicHost | undefined;
	private display: Display | undefined;
	private deployment: Deployment | undefined;
	private interrupted = false;

	private constructor(
		private readonly session: Session,
		private readonly stack: OpenStack,
	) {}

	static async start(session: Session, stack: OpenStack): Promise<Operator> {
		const operator = new Operator(session, stack);
		await operator.server.start();
		const usesHost = stack.checkpoint.resources.some(({ type }) => type === "pulumi:providers:pulumi-nodejs");
		if (usesHost) operator.dynamicHost();
		return operator;
	}

	/** Lets running operations end and starts no others; the second time nothing is waited for. */
	interrupt(): void {
		if (this.interrupted) {
			this.session.io.stderr.write("^C received; terminating.\n");
			process.exit(1);
		}
		this.interrupted = true;
		this.session.io.stderr.write(
			"^C received; cancelling. If you would like to terminate immediately, press ^C again.\n",
		);
		this.deployment?.cancel();
	}

	async stop(): Promise<void> {
		this.server.stop();
		await this.host?.end();
	}

	private dynamicHost(): DynamicHost {
		const { project, io } = this.session;
		this.host ??= new DynamicHost({
			script: resolveSdk(project, "cmd/dynamic-provider"),
			address: this.server.address,
			cwd: project.programDirectory,
			project: project.name,
			stack: this.stack.name.stack,
			env: io.env,
			onLine: (line) => this.display?.diagnostic("info", "", line, false),
		});
		return this.host;
	}

	private async openProvider(
		pkg: string,
		find: (urn: string) => ResourceState | undefined,
	): Promise<ManagedProvider> {
		const { session } = this;
		if (pkg === "pulumi") return new BuiltinPackage((name) => session.outputsOf(name), find);
		if (pkg === "pulumi-nodejs")
			return new ManagedProvider(new DynamicProvider(this.dynamicHost(), ENGINE_VERSION));
		const factory = await factoryOf(pkg, session.factories);
		const provider = await factory({
			log: (severity, message, urn = "") => this.display?.diagnostic(severity, urn, message, false),
			projectDirectory: session.project.root,
			project: session.project.name,
			stack: this.stack.name.stack,
		});
		return new ManagedProvider(provider);
	}

	/** @throws Bail when it failed; why has been shown. */
	async run(options: OperationOptions): Promise<OperationResult> {
		const { session, stack } = this;
		const { project } = session;
		if (this.interrupted) throw new EngineError("the operation was cancelled");
		const parallel = parallelism(session.args.texts.get("parallel"));
		const display = new Display({
			stack: stack.name.stack,
			project: project.name,
			preview: options.preview,
			diff: session.args.switches.has("diff"),
			secrets: stack.settings.filter(({ secret }) => secret).map(({ value }) => value),
			write: (text) => void session.io.stdout.write(text),
		});
		this.display = display;
		display.headline(LABELS[options.kind][options.preview ? 0 : 1]);
		const snapshot = session.snapshot(stack);
		const operations = options.clearPendingCreates ? [] : [...snapshot.operations];
		const qualified = `organization/${stack.name.project}/${stack.name.stack}`;
		const snapshots = options.preview
			? undefined
			: new SnapshotManager(snapshot, (now) =>
					session.backend.save(stack.name, checkpointText(qualified, now, stack.crypter)),
				);
		if (options.clearPendingCreates) snapshots?.clearPendingCreates();
		if (operations.length > 0 && !options.preview && !options.refresh) {
			display.diagnostic("warning", "", pendingText(operations), false);
		}
		const deployment = new Deployment({
			stack: stack.name.stack,
			project: project.name,
			root: project.root,
			settings: stack.settings,
			preview: options.preview,
			parallel,
			resources: snapshot.resources,
			operations,
			snapshots,
			server: this.server,
			events: display,
			openProvider: (pkg, find) => this.openProvider(pkg, find),
			startProgram:
				options.kind !== "update"
					? undefined
					: () =>
							startProgram({
								project,
								stack: stack.name,
								settings: stack.settings,
								address: this.server.address,
								preview: options.preview,
								parallel,
								env: session.io.env,
								onLine: (line) => display.diagnostic("info", "", line, false),
							}),
			refresh: options.refresh,
			delete: options.kind !== "refresh",
		});
		this.deployment = deployment;
		const startTime = new Date();
		let failure: unknown;
		try {
			await deployment.run();
		} catch (error) {
			failure = error;
		}
		this.deployment = undefined;
		display.summary();
		if (snapshots !== undefined && !snapshots.broken)
			this.remember(options, startTime, failure === undefined, display);
		if (failure !== undefined) throw failure;
		if (!options.preview) stack.checkpoint = session.backend.load(stack.name);
		const changes = Object.keys(display.changes).some((op) => op !== "same" && op !== "read");
		return { changes };
	}

	private remember(options: OperationOptions, startTime: Date, succeeded: boolean, display: Display): void {
		const { session, stack } = this;
		try {
			addToHistory(
				session.backend,
				stack.name,
				{
					kind: options.kind,
					startTime,
					message: options.message,
					environment: {
						...options.sourceControl,
						"exec.kind": "embedded",
						"pulumi.arch": process.arch === "x64" ? "amd64" : process.arch,
						"pulumi.os": process.platform === "win32" ? "windows" : process.platform,
						"pulumi.version": ENGINE_VERSION,
						"runtime.executable": process.execPath,
						"runtime.name": "nodejs",
						"runtime.version": process.version,
					},
					settings: stack.settings,
					succeeded,
					resourceChanges: display.changes,
				},
				session.io.env,
			);
		} catch (error) {
			if (succeeded) throw new EngineError(`saving update info: ${messageOf(error)}`);
			session.warn(`saving update info: ${messageOf(error)}`);
		}
	}
}

function parallelism(text: string | undefined): number {
	if (text === undefined) return 4 * cpus().length;
	const count = Number(text);
	if (!Number.isInteger(count) || count < 0)
		throw new EngineError(`--parallel must be a whole number, not ${text}`);
	return count === 0 ? Number.MAX_SAFE_INTEGER : count;
}

function pendingText(operations: { resource: ResourceState; type: string }[]): string {
	return (
		`Attempting to deploy or update resources with ${operations.length} pending operations from previous deployment.\n` +
		operations.map(({ resource, type }) => `  * ${resource.urn}, interrupted while ${type}\n`).join("") +
		"These resources are in an unknown state because the update was interrupted while waiting for changes to these " +
		"resources to complete. `pulumi refresh --clear-pending-creates` reads what really is there and forgets them."
	);
}
