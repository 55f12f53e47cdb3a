/**
 * @typedef {object} Sample
 * @property {number} at milliseconds since 1970
 * @property {number} until the end of the time that it stands for
 * @property {number} value the highest of that time
 */

/** More than a plot has points side by side. */
const MOST = 480;

/**
 * What a value has been since the page was opened, at an even and bounded density: whenever there are too many samples,
 * each two neighbours become one, which keeps the higher value.
 */
export class Samples {
	/** @type {Sample[]} */
	kept = [];
	/** What one sample stands for, in milliseconds. */
	widthMs = 1000;

	/**
	 * @param {number} at milliseconds since 1970
	 * @param {number} value
	 */
	add(at, value) {
		const last = this.kept.at(-1);
		if (last !== undefined && at < last.at + this.widthMs) {
			last.until = at;
			last.value = Math.max(last.value, value);
			return;
		}
		this.kept.push({ at, until: at, value });
		if (this.kept.length > MOST) {
			this.thin();
		}
	}

	thin() {
		this.widthMs *= 2;
		const all = this.kept;
		this.kept = [];
		for (const { at, until, value } of all) {
			this.add(at, value);
			const last = this.kept.at(-1);
			if (last !== undefined) {
				last.until = until;
			}
		}
	}
}
