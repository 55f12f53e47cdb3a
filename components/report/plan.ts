import type { Migration } from "../migrations/migration";
import { type BlueGreenPlan, planBlueGreen } from "../release/blue-green";
import { desiredRelease } from "../release/desired-release";
import type { LastUpdate } from "../release/last-update";
import { deployedChoices, refuseOtherChoices } from "../release/lasting-choices";
import type { ReleaseFiles } from "../release/release-files";
import { ReleasePlanError } from "../release/release-plan-error";
import { COLORS, type Color } from "../replication/node";
import type { Settings } from "../settings/settings";

/** What an update would do, or why it would not. */
export interface ReportedPlan {
	/** A line each, in the operator's words. */
	summary: string[];
	/** Colours of a blue-green stack: name → release, before and after. */
	colors: { color: string; before: string; after: string }[];
	refusals: string[];
	/** Releases that can be reached instead. */
	reachable: readonly string[];
	/** Versions that would be applied. */
	applied: string[];
	/** Versions that would be undone in place. */
	undone: string[];
}

const NOTHING = "–";

/** Decides what an update of a stack does, by what its last one left. */
export function reportedPlan(
	settings: Settings,
	files: Pick<ReleaseFiles, "migrations" | "reversible" | "requiredSchema">,
	last: LastUpdate | undefined,
): ReportedPlan {
	try {
		refuseOtherChoices(last && deployedChoices({ ...last, live: last.colors?.live }), settings);
		return settings.strategy === "in-place"
			? inPlace(settings, files.migrations, last)
			: blueGreen(planBlueGreen(last?.colors, desiredRelease(settings, files)), files.migrations, last);
	} catch (error) {
		if (!(error instanceof ReleasePlanError)) {
			throw error;
		}
		const { problems, reachable } = error;
		const has = last?.migrations ?? [];
		const wanted = files.migrations.map(({ version }) => version);
		return {
			...{ summary: [], colors: [], undone: [] },
			// What it would be about, were it not refused.
			applied: wanted.filter((version) => !has.includes(version)),
			refusals: [...problems],
			reachable,
		};
	}
}

function blueGreen(
	plan: BlueGreenPlan,
	migrations: readonly Migration[],
	last: LastUpdate | undefined,
): ReportedPlan {
	const has = new Set(last?.migrations ?? []);
	const shown = (color: Color, held: { generation: number; release: string }, isLive: boolean) =>
		`${color}-${held.generation}: ${held.release}${isLive ? ", live" : ""}`;
	const before = (color: Color) => {
		const held = last?.colors?.colors[color];
		return held && shown(color, held, color === last?.colors?.live);
	};
	const after = (color: Color) => {
		const held = plan.colors.find((each) => each.color === color);
		return held && shown(color, held, color === plan.live);
	};
	return {
		summary: plan.summary,
		colors: COLORS.map((color) => ({
			color,
			before: before(color) ?? NOTHING,
			after: after(color) ?? NOTHING,
		})),
		...{ refusals: [], reachable: [], undone: [] },
		applied:
			plan.kind === "first" || plan.kind === "build"
				? migrations.map(({ version }) => version).filter((version) => !has.has(version))
				: [],
	};
}

function inPlace(
	{ release }: Settings,
	migrations: readonly Migration[],
	last: LastUpdate | undefined,
): ReportedPlan {
	const wanted = migrations.map(({ version }) => version);
	const has = last?.migrations ?? [];
	const applied = wanted.filter((version) => !has.includes(version));
	const undone = has.filter((version) => !wanted.includes(version)).reverse();
	const from = last === undefined ? "the first deployment" : `release ${last.release} → ${release}`;
	return {
		summary: [
			`in place: ${from}`,
			...(applied.length > 0 ? [`applies ${applied.join(", ")} to the database that serves`] : []),
			...(undone.length > 0
				? [`undoes ${undone.join(", ")} there, and saves the rows that it destroys`]
				: []),
			...(applied.length + undone.length === 0 ? ["no migration runs"] : []),
		],
		...{ colors: [], refusals: [], reachable: [], applied, undone },
	};
}
