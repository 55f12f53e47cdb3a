import { compareVersions } from "../migrations/migration";
import { nodeName } from "../replication/node";
import type { DesiredRelease } from "./color-record";
import type { HeldRelease } from "./held-release";
import { compareMigrations, migrationTitle } from "./release-migrations";

/**
 * Why a release that is on neither colour cannot be built from the live one: every reason, none when it can.
 *
 * @param idle the colour that has no traffic, where there is one
 */
export function contradictions(
	live: HeldRelease,
	idle: HeldRelease | undefined,
	desired: DesiredRelease,
): string[] {
	const { added, missing, changed } = compareMigrations(live.migrations, desired.migrations);
	const where = `release ${live.release}, which is live on ${nodeName(live)}`;
	const problems = changed.map((version) => describeChange(version, live, desired));
	const order = compareVersions(desired.release, live.release);
	if (order < 0) {
		const lasting = missing.filter((version) => !desired.reversible.includes(version));
		problems.push(
			...lasting.map(
				(version) =>
					`migration ${migrationTitle(version, live.migrations)} came with ${where}, and release ` +
					`${desired.release} would need it undone, but it has no down section; stay with a release that has it`,
			),
		);
	} else {
		problems.push(
			...missing.map(
				(version) =>
					`migration ${migrationTitle(version, live.migrations)} belongs to ${where}, but its file is gone; ` +
					`put it back: release ${desired.release} cannot be without it`,
			),
		);
	}
	if (order === 0) {
		problems.push(
			...added.map(
				(version) =>
					`migration ${migrationTitle(version, desired.migrations)} was added to ${where}, and a deployed release ` +
					"does not change; give the release a newer version",
			),
		);
	}
	return problems.length > 0 && idle !== undefined
		? [...problems, ...describeLostReturn(idle, desired)]
		: problems;
}

/** Tells that the release wanted would be on the idle colour, had its files stayed as they were. */
export function describeLostReturn(idle: HeldRelease, desired: DesiredRelease): string[] {
	if (idle.release !== desired.release) return [];
	const { added, missing, changed } = compareMigrations(idle.migrations, desired.migrations);
	const parts = [
		...changed.map((version) => `${migrationTitle(version, idle.migrations)} was changed`),
		...missing.map((version) => `${migrationTitle(version, idle.migrations)} is gone`),
		...added.map((version) => `${migrationTitle(version, desired.migrations)} was added`),
	];
	return [
		`${nodeName(idle)} holds release ${idle.release}, but with other migration files: ${parts.join(", ")}; put the ` +
			"files back as they were to go back to it without building it anew",
	];
}

/** What can be deployed whatever the migrations of other releases are, in the operator's words. */
export function reachableReleases(live: HeldRelease, idle: HeldRelease | undefined): string[] {
	return [
		`${live.release} (live on ${nodeName(live)})`,
		...(idle === undefined ? [] : [`${idle.release} (on ${nodeName(idle)})`]),
		`any newer than ${live.release}`,
	];
}

function describeChange(version: string, live: HeldRelease, desired: DesiredRelease): string {
	const title = migrationTitle(version, live.migrations);
	const name = desired.migrations[version]?.name;
	const since = `since release ${live.release} went live on ${nodeName(live)}`;
	return name === live.migrations[version]?.name
		? `migration ${title}: its file was changed ${since}; put it back as it was and write the change as a new migration`
		: `migration ${title}: its file was renamed to ${name} ${since}; give it its name again`;
}
