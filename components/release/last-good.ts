import { compareVersions } from "../migrations/migration";

/** An entry of a stack's history. */
export interface PastUpdate {
	/** `update`, `refresh`, `destroy` or `import`. */
	kind: string;
	/** `succeeded`, `failed` or `in-progress`. */
	result: string;
	/** The release in the stack file at that time; undefined when there was none, or a secret one. */
	release?: string;
	/** The setting `serviceImage` at that time, where there was one. */
	image?: string;
	/** In ISO 8601. */
	endTime: string;
	/** Of the CI system that made it; the same when it runs again. */
	build?: string;
}

export interface WayBack {
	/** What is taken away. */
	from: string;
	/** What is brought. */
	release: string;
	/** The setting `serviceImage` that it was deployed with, where there was one: the code of the release. */
	image?: string;
	/** When the newest update that succeeded with that release ended, in ISO 8601. */
	deployedAt: string;
	/** Whether the newest update was on the same way, and did not come to its end. */
	goesOn: boolean;
}

/**
 * Finds the release to go back to. After a failed update that is the one which is still live; after one that was itself
 * going back, the same again; else the one that was live last of those that are older. Never one that is newer than what
 * is live: that may be what was just taken away.
 *
 * @param history newest first
 * @throws Error when there is nothing to go back to
 */
export function lastGoodRelease(history: readonly PastUpdate[]): WayBack {
	const updates = standingUpdates(history);
	const present = updates[0]!.release;
	const succeeded = updates.filter(isSuccess);
	const live = succeeded[0];
	if (live === undefined) {
		throw new Error(
			"there is nothing to go back to: no update has succeeded yet; mend what the last one names and run it again",
		);
	}
	const left = leftUnfinished(updates, present, live.release);
	const again = left === undefined ? undefined : succeeded.find(({ release }) => release === present);
	if (left !== undefined && again !== undefined) {
		return { ...wayTo(again, left), goesOn: true };
	}
	const good = present === live.release ? succeeded.find(({ release }) => isNewer(present, release)) : live;
	if (good === undefined) {
		throw new Error(`there is nothing to go back to: ${whyNone(present, succeeded)}`);
	}
	return { ...wayTo(good, present), goesOn: false };
}

/**
 * The way to a release that the operator names.
 *
 * @param history newest first
 * @throws Error when the stack has not had it
 */
export function namedRelease(history: readonly PastUpdate[], release: string): WayBack {
	const updates = standingUpdates(history);
	const had = updates.find((update) => isSuccess(update) && update.release === release);
	if (had === undefined) {
		const known = [...new Set(updates.filter(isSuccess).map((update) => update.release))];
		throw new Error(
			`release ${release} has not been live here, so it cannot be gone back to: name one of ${known.join(", ") || "none"}, ` +
				"or release it as a new one",
		);
	}
	return { ...wayTo(had, updates[0]!.release), goesOn: false };
}

/** The newest update that went back in this build of the CI system, and succeeded, if any. */
export function updateOfBuild(history: readonly PastUpdate[], build: string): PastUpdate | undefined {
	const succeeded = history.filter((update) => update.kind === "update" && isSuccess(update));
	return succeeded.find(({ release, build: own }, index) => {
		const before = succeeded[index + 1]?.release;
		return own === build && release !== undefined && before !== undefined && isNewer(before, release);
	});
}

type ReleaseUpdate = PastUpdate & { release: string };

/** @throws Error when there is none */
function standingUpdates(history: readonly PastUpdate[]): ReleaseUpdate[] {
	const destroyed = history.findIndex((each) => each.kind === "destroy" && isSuccess(each));
	const standing = destroyed === -1 ? history : history.slice(0, destroyed);
	const updates = standing.flatMap((update) =>
		update.kind === "update" && update.release !== undefined ? [{ ...update, release: update.release }] : [],
	);
	if (updates.length === 0) {
		throw new Error(
			destroyed === -1
				? "there is nothing to go back to: no update has been made yet"
				: "there is nothing to go back to: what was deployed has been destroyed",
		);
	}
	return updates;
}

/** What the newest update was to take away for a release no newer than what is live, when it did not come to its end. */
function leftUnfinished(
	updates: readonly ReleaseUpdate[],
	present: string,
	live: string,
): string | undefined {
	const unfinished = updates.slice(0, updates.findIndex(isSuccess)).map(({ release }) => release);
	return unfinished.length === 0 || isNewer(present, live)
		? undefined
		: [...unfinished, live].find((release) => release !== present);
}

function whyNone(live: string, succeeded: readonly ReleaseUpdate[]): string {
	const left = succeeded.find(({ release }) => isNewer(release, live))?.release;
	const mend =
		left === undefined
			? "release the older code under a newer version instead"
			: `${left} was gone back from: to have it all the same, name it (--release ${left})`;
	return `no update has succeeded with a release older than ${live}; ${mend}`;
}

function wayTo({ release, image, endTime }: ReleaseUpdate, from: string): Omit<WayBack, "goesOn"> {
	return { from, release, ...(image !== undefined && { image }), deployedAt: endTime };
}

function isSuccess({ result }: PastUpdate): boolean {
	return result === "succeeded";
}

function isNewer(release: string, than: string): boolean {
	return compareVersions(release, than) > 0;
}
