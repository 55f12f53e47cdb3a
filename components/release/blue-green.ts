import { COLORS, type Color, otherColor } from "../replication/node";
import type { ColorRecord, DesiredRelease, LastOutputs } from "./color-record";
import { contradictions, reachableReleases } from "./contradictions";
import { type HeldRelease, heldReleases } from "./held-release";
import { describeBack, describeBuild, describeFirst, describeRestart, describeSame } from "./plan-summary";
import { sameMigrations } from "./release-migrations";
import { ReleasePlanError } from "./release-plan-error";

/** A colour as the stack shall declare it. */
export type PlannedColor = Omit<ColorRecord, "database" | "switchedAt"> & { color: Color };

export interface BlueGreenPlan {
	/**
	 * - `first`: the stack has no colour yet.
	 * - `same`: the release is live already.
	 * - `build`: a new colour is built from the live one and then gets the traffic.
	 * - `back`: the idle colour holds the release and gets the traffic back.
	 */
	kind: "first" | "same" | "build" | "back";
	/** Who shall have the traffic at the end. */
	live: Color;
	/** The colours to declare, blue first. */
	colors: PlannedColor[];
	/** A colour that is dropped at the end, after the new one is live and has stood its bake. */
	replaced?: { color: Color; generation: number; release: string };
	nextGeneration: number;
	/** The plan in the operator's words, a line each. */
	summary: string[];
	/** What an update that keeps the release does to the live service all the same, in one line. */
	restart?: string;
}

const FIRST_COLOR = "blue";
const FIRST_GENERATION = 1;

/**
 * Decides what an update of a blue-green stack does. A failed update leaves `last` as it was, so the next one plans
 * the same generation again and finishes it, also for another release.
 *
 * @param last what the last finished update left, or undefined before the first
 * @throws ReleasePlanError with everything that stands against the release, and what can be reached instead
 */
export function planBlueGreen(last: LastOutputs | undefined, desired: DesiredRelease): BlueGreenPlan {
	if (last === undefined) {
		return first(desired);
	}
	const { live, idle } = heldReleases(last);
	if (holds(live, desired)) {
		return same(last, live, idle, desired);
	}
	if (idle !== undefined && holds(idle, desired)) {
		return back(last, live, idle, desired);
	}
	const problems = contradictions(live, idle, desired);
	if (problems.length > 0) {
		throw new ReleasePlanError(problems, reachableReleases(live, idle));
	}
	return build(last, live, idle, desired);
}

function holds({ release, migrations }: HeldRelease, desired: DesiredRelease): boolean {
	return release === desired.release && sameMigrations(migrations, desired.migrations);
}

function first(desired: DesiredRelease): BlueGreenPlan {
	const color = wanted(desired, FIRST_COLOR, FIRST_GENERATION);
	return {
		kind: "first",
		live: FIRST_COLOR,
		colors: [color],
		nextGeneration: FIRST_GENERATION + 1,
		summary: describeFirst(color),
	};
}

/** Settings reach the live colour only: the idle one stays as it was when it last served. */
function same(
	last: LastOutputs,
	live: HeldRelease,
	idle: HeldRelease | undefined,
	{ service }: DesiredRelease,
): BlueGreenPlan {
	const restart = describeRestart(live, service);
	return {
		kind: "same",
		live: live.color,
		colors: byColor([{ ...recorded(live), service }, ...(idle === undefined ? [] : [recorded(idle)])]),
		nextGeneration: last.nextGeneration,
		summary: describeSame(live, idle, service),
		...(restart !== undefined && { restart }),
	};
}

/** Both colours stay untouched: going back has to be quick and can rely on what has served before. */
function back(
	last: LastOutputs,
	live: HeldRelease,
	idle: HeldRelease,
	{ service }: DesiredRelease,
): BlueGreenPlan {
	return {
		kind: "back",
		live: idle.color,
		colors: byColor([recorded(live), recorded(idle)]),
		nextGeneration: last.nextGeneration,
		summary: describeBack(live, idle, service),
	};
}

function build(
	last: LastOutputs,
	live: HeldRelease,
	idle: HeldRelease | undefined,
	desired: DesiredRelease,
): BlueGreenPlan {
	const color = {
		...wanted(desired, otherColor(live.color), last.nextGeneration),
		copiedFrom: live.generation,
	};
	return {
		kind: "build",
		live: color.color,
		colors: byColor([recorded(live), color]),
		...(idle && {
			replaced: { color: idle.color, generation: idle.generation, release: idle.release },
		}),
		nextGeneration: last.nextGeneration + 1,
		summary: describeBuild(color, live, idle, desired),
	};
}

function wanted(desired: DesiredRelease, color: Color, generation: number): PlannedColor {
	const { release, requiredSchema, migrations, service } = desired;
	return { color, generation, release, requiredSchema, migrations, service };
}

function recorded({ database: _, switchedAt: __, ...color }: HeldRelease): PlannedColor {
	return color;
}

function byColor(colors: PlannedColor[]): PlannedColor[] {
	return COLORS.flatMap((name) => colors.filter(({ color }) => color === name));
}
