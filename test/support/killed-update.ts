import { watch } from "node:fs";
import { loadState } from "../../gateway/state";
import { type DeployedProject, kill } from "./deployed-project";
import { hold } from "./hold";
import { type CommandResult, finished } from "./project";

/** A point in an update, watched for from before its start. */
interface Moment {
	reached: Promise<unknown>;
	/** Waits until the killed update has left nothing behind that would still go on. */
	forsaken?(): Promise<void>;
	/** Ends the watching, and what held the update there. */
	over(): Promise<void> | void;
}

export type WatchFor = (project: DeployedProject) => Promise<Moment> | Moment;

/** Everything that works for the update dies at once, or the command's own process alone, which is the embedded engine. */
export type Victims = "everything" | "engine";

/**
 * Starts an update and kills it at a moment; returns when nothing of it is left.
 *
 * @returns its result when it ended before that moment
 */
export async function killUpdate(
	project: DeployedProject,
	watchFor: WatchFor,
	victims: Victims = "everything",
): Promise<CommandResult | undefined> {
	const moment = await watchFor(project);
	try {
		const child = project.start(["up", "--yes", "--skip-preview", "-s", project.stack]);
		const ended = finished(child);
		const result = await Promise.race([moment.reached, ended.then((outcome) => ({ outcome }))]);
		if (isOutcome(result)) {
			return result.outcome;
		}
		for (const pid of victims === "engine" ? [child.pid ?? 0] : project.running().update) {
			kill(pid);
		}
		await ended;
		await project.untilUpdateIsGone();
		await moment.forsaken?.();
		return undefined;
	} finally {
		await moment.over();
	}
}

/** An update that waits in the middle of its work for something that the test holds. */
export interface BlockedUpdate {
	/** Of its process group. */
	pid: number;
	ended: Promise<CommandResult>;
	/** Lets it go on. Returns how it ended. */
	unblock(): Promise<CommandResult>;
}

export async function blockedUpdate(project: DeployedProject, watchFor: WatchFor): Promise<BlockedUpdate> {
	const moment = await watchFor(project);
	const child = project.start(["up", "--yes", "--skip-preview", "-s", project.stack]);
	const ended = finished(child);
	await moment.reached;
	return {
		pid: child.pid ?? 0,
		ended,
		async unblock() {
			await moment.over();
			return ended;
		},
	};
}

/** When something is waited for that a statement of the test holds. */
export function waitingFor(database: string, statement: string): WatchFor {
	return async (project) => {
		const held = await hold(await project.superuser(database), statement);
		return {
			reached: held.untilAwaited(),
			forsaken: () => held.untilForsaken(),
			over: () => held.release(),
		};
	};
}

/** When the state has been written so many times. */
export function afterStateWrites(count: number): WatchFor {
	return (project) => {
		let writes = 0;
		return fileWatch(
			project.path(".local", "state", ".pulumi", "stacks", "camera-counting"),
			`${project.stack}.json`,
			() => {
				writes++;
				return writes === count;
			},
		);
	};
}

/** When the process of a service has been started and nobody knows yet whether it will be ready. */
export const whenServiceStarts: WatchFor = (project) =>
	fileWatch(project.local("service"), undefined, (file) => file.endsWith(".pid"));

/** When the gateway sends the traffic elsewhere and nobody has written that down yet. */
export const whenTrafficMoves: WatchFor = (project) => {
	const file = project.local("gateway", "state.json");
	const before = loadState(file).active;
	return fileWatch(project.local("gateway"), "state.json", () => loadState(file).active !== before);
};

function fileWatch(folder: string, name: string | undefined, isIt: (file: string) => boolean): Moment {
	const watcher = watch(folder);
	const reached = new Promise<true>((resolve, reject) => {
		watcher.on("error", reject);
		watcher.on("change", (event, changed) => {
			const file = String(changed);
			if (event === "rename" && (name === undefined || file === name) && isIt(file)) {
				resolve(true);
			}
		});
	});
	return { reached, over: () => watcher.close() };
}

function isOutcome(value: unknown): value is { outcome: CommandResult } {
	return typeof value === "object" && value !== null && "outcome" in value;
}
