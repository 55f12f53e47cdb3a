/** Everything that stands against a release, and what can be deployed instead. Nothing was changed. */
export class ReleasePlanError extends Error {
	override readonly name = "ReleasePlanError";

	constructor(
		readonly problems: readonly string[],
		/** In words, such as `1.3.0 (live on blue-1)`. */
		readonly reachable: readonly string[] = [],
	) {
		super(
			[
				"this update cannot be done; nothing was changed:",
				...problems.map((problem) => `  - ${problem}`),
				...(reachable.length === 0 ? [] : [`releases that can be reached: ${reachable.join(", ")}`]),
			].join("\n"),
		);
	}
}
