/** An entry of a stack's history. */
export interface PastUpdate {
	/** `update`, `refresh`, `destroy` or `import`. */
	kind: string;
	/** `succeeded`, `failed` or `in-progress`. */
	result: string;
	/** The release in the stack file at that time; undefined when there was none, or a secret one. */
	release?: string;
	/** In ISO 8601. */
	endTime: string;
}

export interface LastGood {
	/** What the newest update was to bring, whether it did or not. */
	present: string;
	/** What was live before it. */
	release: string;
	/** When the newest update that succeeded with that release ended, in ISO 8601. */
	deployedAt: string;
}

/**
 * Finds the release to go back to: that of the newest update which succeeded with another release than the newest
 * update's. After a failed update that is the one which still has the traffic.
 *
 * @param history newest first
 * @throws Error when there is nothing to go back to
 */
export function lastGoodRelease(history: readonly PastUpdate[]): LastGood {
	const destroyed = history.findIndex(({ kind, result }) => kind === "destroy" && result === "succeeded");
	const standing = destroyed === -1 ? history : history.slice(0, destroyed);
	const updates = standing.filter(({ kind, release }) => kind === "update" && release !== undefined);
	const present = updates[0]?.release;
	if (present === undefined) {
		throw new Error(
			destroyed === -1
				? "there is nothing to go back to: no update has been made yet"
				: "there is nothing to go back to: what was deployed has been destroyed",
		);
	}
	const good = updates.find(({ result, release }) => result === "succeeded" && release !== present);
	if (good?.release === undefined) {
		throw new Error(
			`there is nothing to go back to: no update has succeeded with another release than ${present}`,
		);
	}
	return { present, release: good.release, deployedAt: good.endTime };
}
