/** @param {number} ms */
export function duration(ms) {
	if (ms < 1000) {
		return `${Math.max(0, Math.round(ms))} ms`;
	}
	if (ms < 9950) {
		return `${(ms / 1000).toFixed(1)} s`;
	}
	const seconds = Math.round(ms / 1000);
	if (seconds < 60) {
		return `${seconds} s`;
	}
	const minutes = Math.floor(seconds / 60);
	return minutes < 60
		? `${minutes} min ${seconds % 60} s`
		: `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number} value */
function bytes(value) {
	const step = value < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
	const scaled = value / 1000 ** step;
	return `${Number(scaled.toFixed(step === 0 || scaled >= 100 ? 0 : 1))} ${UNITS[step]}`;
}

/**
 * A figure with its unit, such as `12.4 ms` or `1.2 MB`.
 *
 * @param {number} value
 * @param {string | null} unit
 */
export function figure(value, unit) {
	if (unit === "bytes" || unit === "B") {
		return bytes(value);
	}
	const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 1 ? 1 : 3;
	const text = String(Number(value.toFixed(digits)));
	return unit === null || unit === "" ? text : unit === "%" ? `${text}%` : `${text} ${unit}`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_AND_MINUTE = new Intl.DateTimeFormat("en-GB", {
	day: "numeric",
	month: "short",
	hour: "2-digit",
	minute: "2-digit",
});

/** @param {Date} at */
export function clock(at) {
	return CLOCK.format(at);
}

/** @param {Date} at */
export function day(at) {
	return DAY.format(at);
}

/**
 * A moment as short as it is plain: the time of day today, the day as well before.
 *
 * @param {string} iso
 * @param {Date} now
 */
export function moment(iso, now) {
	const at = new Date(iso);
	return DAY.format(at) === DAY.format(now) && now.getTime() - at.getTime() < 86_400_000
		? CLOCK.format(at)
		: DAY_AND_MINUTE.format(at);
}

/**
 * How often something is, such as `1 rollback` or `3 rollbacks`.
 *
 * @param {number} count
 * @param {string} one
 */
export function counted(count, one) {
	return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/**
 * A name of the catalog's in words: `database_connectivity` is told as `database connectivity`.
 *
 * @param {string} name
 */
export function plain(name) {
	return name.replaceAll("_", " ");
}
