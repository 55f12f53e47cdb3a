import type { RecordedRelease } from "./recorded-release";
import type { StackUpdate } from "./stack-update";

/** One update of a stack, with what the catalog has of it; or what the catalog alone has. */
export interface HistoryEntry {
	update?: StackUpdate;
	recorded?: RecordedRelease;
}

/** What an engine's history and a catalog may differ by, since the one counts whole seconds. */
const SLACK_MS = 1000;

/**
 * Puts the engine's history and the catalog's deployments side by side: a deployment is of the update in whose time it
 * began. An update that had nothing to do has none; a deployment of a stack whose history was lost has no update.
 *
 * @param updates newest first
 * @param recorded newest first
 * @returns newest first
 */
export function joinHistory(
	updates: readonly StackUpdate[],
	recorded: readonly RecordedRelease[],
): HistoryEntry[] {
	const left = new Set(recorded);
	const joined: HistoryEntry[] = updates.map((update) => {
		const own = [...left].find((each) => isWithin(each, update));
		if (own === undefined) {
			return { update };
		}
		left.delete(own);
		return { update, recorded: own };
	});
	const others = [...left].map((each): HistoryEntry => ({ recorded: each }));
	return [...joined, ...others].sort((one, other) => beganAt(other) - beganAt(one));
}

function isWithin(
	{ startedAt }: RecordedRelease,
	{ kind, result, startTime, endTime }: StackUpdate,
): boolean {
	if (kind !== "update" || startedAt === null) {
		return false;
	}
	const began = Date.parse(startedAt);
	// One that is under way has no end yet.
	const ended = result === "in-progress" ? Number.POSITIVE_INFINITY : Date.parse(endTime);
	return began >= Date.parse(startTime) - SLACK_MS && began <= ended + SLACK_MS;
}

function beganAt({ update, recorded }: HistoryEntry): number {
	return Date.parse(recorded?.startedAt ?? update?.startTime ?? "");
}
