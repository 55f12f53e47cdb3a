import { duration, moment, table } from "../monitoring/text";
import type { HistoryEntry } from "./join";
import type { LiveRelease } from "./live-release";
import type { RecordedRelease } from "./recorded-release";

const COMMIT_LENGTH = 8;

/** What `npm run history` shows, in lines of a terminal: an update each, newest first. */
export function historyText(entries: readonly HistoryEntry[]): string {
	return entries.length === 0
		? "the stack has never been updated"
		: table([
				["BEGAN", "WHAT", "RELEASE", "OUTCOME", "TOOK", "LIVE FROM", "COMMIT", "BY"],
				...entries.map(row),
			]).join("\n");
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
		recorded?.traffic.map(({ since }) => moment(since)).join(", ") ?? "",
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
	return [`${status}${recorded ? liveAllTheSame(recorded) : ""}`, ...(back ?? [])].join("; ");
}

/** One that did not come to its end well may have had the traffic until then. */
function liveAllTheSame({ status, traffic }: RecordedRelease): string {
	const ended = traffic.flatMap(({ since, until }) => (until === null ? [] : [{ since, until }]));
	if (status === "completed" || ended.length === 0) {
		return "";
	}
	const seconds = ended.reduce(
		(sum, { since, until }) => sum + (Date.parse(until) - Date.parse(since)) / 1000,
		0,
	);
	return ` after ${duration(seconds)} with the traffic`;
}

/** The answer to `--at`. */
export function liveText(time: Date, live: LiveRelease | undefined): string {
	const at = moment(time.toISOString());
	if (live === undefined) {
		return `no release was live at ${at}`;
	}
	const { release, deployment, status, since, until, toldBy, orAlready } = live;
	const ending = until === null ? "" : ` until ${moment(until)}`;
	const ended = status === "completed" ? "" : `, ${status.replaceAll("_", " ")}`;
	return [
		`release ${release} was live at ${at}, since ${moment(since)}${ending} (deployment ${deployment}${ended})`,
		...(toldBy === "unrecorded switch"
			? ["since is when that deployment ended: its switch was earlier, and is not in the audit log"]
			: []),
		...(orAlready
			? [
					`or release ${orAlready.release} already: deployment ${orAlready.deployment} was under way, and its switch is not in the audit log`,
				]
			: []),
	].join("\n");
}
