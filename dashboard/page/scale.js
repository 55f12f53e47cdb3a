/**
 * The end of an axis and the distance of its marks, so that a few round numbers reach beyond the greatest value.
 *
 * @param {number} greatest
 * @param {number} [marks] how many there may be
 */
export function roundScale(greatest, marks = 3) {
	const rough = Math.max(greatest, Number.MIN_VALUE) / marks;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
	return { step, end: step * Math.max(1, Math.ceil(greatest / step)) };
}

const DURATIONS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000, 36_000];

/**
 * The same of durations in milliseconds, at seconds and minutes that people count by.
 *
 * @param {number} greatestMs
 */
export function durationScale(greatestMs) {
	const rough = greatestMs / 1000 / 3;
	const step = 1000 * (DURATIONS_S.find((candidate) => candidate >= rough) ?? roundScale(rough, 1).step);
	return { step, end: step * Math.max(1, Math.ceil(greatestMs / step)) };
}
