/** Lines of a terminal in which each column is as wide as its longest text. */
export function table(rows: string[][]): string[] {
	const widths = rows.reduce<number[]>(
		(widest, row) => row.map((text, column) => Math.max(widest[column] ?? 0, text.length)),
		[],
	);
	return rows.map((row) =>
		row
			.map((text, column) => text.padEnd(widths[column] ?? 0))
			.join("  ")
			.trimEnd(),
	);
}

/** `2026-01-31T08:15:30.123Z` → `2026-01-31 08:15:30Z`. */
export function moment(instant: string): string {
	return instant.replace("T", " ").replace(/\.\d+/, "");
}

const MINUTE = 60;

/** A time in seconds as a person says it. */
export function duration(seconds: number): string {
	return seconds < MINUTE
		? `${seconds.toFixed(1)} s`
		: `${Math.floor(seconds / MINUTE)} min ${Math.floor(seconds % MINUTE)} s`;
}
