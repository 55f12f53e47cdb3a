import type { RecordedRelease } from "./recorded-release";
import type { TrafficSpan } from "./traffic-spans";

/** The release that had the traffic at a time. */
export interface LiveRelease extends TrafficSpan {
	/** How its deployment ended, or that it has not. */
	status: RecordedRelease["status"];
	/** What may have had the traffic already: its deployment was under way, and the moment of its switch is not on record. */
	orAlready: { deployment: number; release: string } | null;
}

/**
 * Which release was live at a time. One whose bake failed was, between its switch and the way back.
 *
 * @returns undefined before the first
 */
export function liveAt(recorded: readonly RecordedRelease[], time: Date): LiveRelease | undefined {
	for (const { status, traffic } of recorded) {
		const span = traffic.find(
			({ since, until }) => new Date(since) <= time && (until === null || time < new Date(until)),
		);
		if (span !== undefined) {
			return { ...span, status, orAlready: switching(recorded, time) ?? null };
		}
	}
	return undefined;
}

function switching(recorded: readonly RecordedRelease[], time: Date): LiveRelease["orAlready"] | undefined {
	const next = recorded.find(
		({ startedAt, traffic }) =>
			startedAt !== null &&
			new Date(startedAt) <= time &&
			traffic.some(({ since, toldBy }) => toldBy === "unrecorded switch" && time < new Date(since)),
	);
	return next && { deployment: next.deployment, release: next.release };
}
