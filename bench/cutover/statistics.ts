/** The value below which a share of all values lies; the mean of the middle two for an even median. */
export function quantile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((left, right) => left - right);
	if (share === 0.5 && sorted.length % 2 === 0) {
		const middle = sorted.length / 2;
		return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
	}
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
	return quantile(values, 0.5);
}

/** As `least / median / most`. */
export function spread(values: readonly number[]): string {
	const sorted = [...values].sort((left, right) => left - right);
	return [sorted[0]!, median(sorted), sorted.at(-1)!].map((value) => value.toFixed(1)).join(" / ");
}
