import { duration, moment, table } from "../monitoring/text";
import type { HistoryEntry } from "./join";
import type { LiveRelease } from "./recorded-release";

const COMMIT_LENGTH = 8;

/** What `npm run history` shows, in lines of a terminal: an update each, newest first. */
export function historyText(entries: readonly HistoryEntry[]): string {
	return entries.length === 0
		? "the stack has never been updated"
		: table([["BEGAN", "WHAT", "RELEASE", "OUTCOME", "TOOK", "COMMIT", "BY"], ...entries.map(row)]).join(
				"\n",
			);
}

function row({ update, recorded }: HistoryEntry): string[] {
	const began = recorded?.startedAt ?? update?.startTime;
	const ended = recorded?.endedAt ?? update?.endTime;
	const seconds = began && ended ? (Date.parse(ended) - Date.parse(began)) / 1000 : Number.NaN;
	const commit = recorded?.commit ?? update?.commit;
	return [
		began === undefined || began === null ? "" : moment(began),
		update?.kind ?? "update",
		recorded?.release ?? update?.release ?? "",
		outcome({ ...(update && { update }), ...(recorded && { recorded }) }),
		Number.isNaN(seconds) ? "" : duration(seconds),
		commit?.slice(0, COMMIT_LENGTH) ?? "",
		recorded?.triggeredBy ?? update?.author ?? "",
	];
}

function outcome({ update, recorded }: HistoryEntry): string {
	const back = recorded?.rollbacks.map(
		({ type, from, to, reason }) =>
			`${type.replaceAll("_", " ")} rollback${from && to ? ` ${from} → ${to}` : ""}: ${reason.split("\n")[0]}`,
	);
	const status = recorded?.status.replaceAll("_", " ") ?? update?.result ?? "";
	return [status, ...(back ?? [])].join("; ");
}

/** The answer to `--at`. */
export function liveText(time: Date, live: LiveRelease | undefined): string {
	const at = moment(time.toISOString());
	return live === undefined
		? `no release was live at ${at}`
		: `release ${live.release} was live at ${at}, since ${moment(live.since)} (deployment ${live.deployment})`;
}
