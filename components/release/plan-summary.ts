import { type Color, nodeName } from "../replication/node";
import type { ColorRecord, DesiredRelease, ReleaseMigrations } from "./color-record";
import { describeLostReturn } from "./contradictions";
import type { HeldRelease } from "./held-release";
import { compareMigrations, migrationTitle } from "./release-migrations";

type NewColor = { color: Color; generation: number } & Pick<ColorRecord, "release" | "migrations">;
type ServiceSettings = ColorRecord["service"];

/** Beyond these a line counts the migrations only; the preview shows each one. */
const LISTED_MIGRATIONS = 10;

export function describeFirst(color: NewColor): string[] {
	return [
		`builds ${nodeName(color)} with release ${color.release} and gives it the traffic`,
		...list(
			"applies there",
			compareMigrations({}, color.migrations).added.map((version) =>
				migrationTitle(version, color.migrations),
			),
		),
	];
}

export function describeSame(
	live: HeldRelease,
	idle: HeldRelease | undefined,
	service: ServiceSettings,
): string[] {
	const restart = describeRestart(live, service);
	return [
		`release ${live.release} stays live on ${nodeName(live)}`,
		...(restart === undefined ? [] : [restart]),
		...(idle === undefined ? [] : [kept(idle)]),
	];
}

/** What changed settings do to the live colour's service; undefined when none changed. */
export function describeRestart(live: HeldRelease, service: ServiceSettings): string | undefined {
	const changes = settingChanges(live.service, service);
	return changes.length === 0
		? undefined
		: `the service of ${nodeName(live)} starts anew with other settings: ${changes.join(", ")}`;
}

export function describeBack(live: HeldRelease, idle: HeldRelease, service: ServiceSettings): string[] {
	const changes = settingChanges(idle.service, service);
	return [
		`moves the traffic back to ${nodeName(idle)}, which holds release ${idle.release} and all that was written since; ` +
			"nothing is rebuilt",
		...(changes.length === 0
			? []
			: [
					`the service of ${nodeName(idle)} keeps the settings that it was deployed with; the update after this one ` +
						`changes them: ${changes.join(", ")}`,
				]),
		kept(live),
	];
}

export function describeBuild(
	color: NewColor,
	live: HeldRelease,
	idle: HeldRelease | undefined,
	desired: DesiredRelease,
): string[] {
	const { added, missing } = compareMigrations(live.migrations, desired.migrations);
	const titles = (versions: string[], migrations: ReleaseMigrations) =>
		versions.map((version) => migrationTitle(version, migrations));
	return [
		...(idle === undefined ? [] : describeLostReturn(idle, desired)),
		`builds ${nodeName(color)} with release ${color.release} from a copy of ${nodeName(live)}, which keeps the traffic ` +
			`on release ${live.release} meanwhile`,
		...list("undoes there", titles(missing.reverse(), live.migrations)),
		...list("applies there", titles(added, desired.migrations)),
		`then moves the traffic to ${nodeName(color)}; ${kept(live)}`,
		...(idle === undefined ? [] : [`drops ${nodeName(idle)} with release ${idle.release} at the end`]),
	];
}

function kept(held: HeldRelease): string {
	return `${nodeName(held)} keeps release ${held.release}, in step, to go back to`;
}

function list(what: string, titles: string[]): string[] {
	if (titles.length === 0) return [];
	const shown = titles.slice(0, LISTED_MIGRATIONS);
	const rest = titles.length - shown.length;
	return [`${what}: ${shown.join(", ")}${rest === 0 ? "" : ` and ${rest} more`}`];
}

/** Of what a record knows: an older version's does not have every setting, and nothing is known to change then. */
function settingChanges(from: ServiceSettings, to: ServiceSettings): string[] {
	return (Object.keys(to) as (keyof ServiceSettings)[])
		.filter((key) => from[key] !== undefined && from[key] !== to[key])
		.map((key) => `${key} ${from[key]} → ${to[key]}`);
}
