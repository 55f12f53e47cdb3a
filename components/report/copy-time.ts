import { plain } from "./markdown";
import type { Known } from "./report-inputs";

/** Bytes of a database, indexes included, that a copy was seen to take on each second: docs/benchmarks/scale.md. */
const SLOWEST = 31e6;
const FASTEST = 49e6;

/** How long the copy of a live database may take. */
export function copyTime(databaseBytes: Known<number>): string {
	if ("unknown" in databaseBytes) {
		return `Not known: ${plain(databaseBytes.unknown)}.`;
	}
	const bytes = databaseBytes.known;
	return (
		`${sizeText(bytes)} with indexes: ${durationText(bytes / FASTEST)} to ${durationText(bytes / SLOWEST)}, at the 31 to 49 MB/s that ` +
		"copies were measured at on two cores, from no writers to 1000 transactions a second. Another machine has another rate."
	);
}

function sizeText(bytes: number): string {
	return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function durationText(seconds: number): string {
	if (seconds < 90) {
		return `${Math.max(1, Math.round(seconds))} s`;
	}
	return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
