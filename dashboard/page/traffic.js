import { byId, element, put, write } from "./elements.js";
import { colorName } from "./states.js";
import { figure, moment } from "./words.js";

/**
 * @typedef {import("../state").Traffic} Traffic
 * @typedef {import("../state").ColorState} ColorState
 * @typedef {import("../state").Lag} Lag
 */

/**
 * Which colour has the traffic, and what each of them is.
 *
 * @param {Traffic} traffic
 * @param {Lag | null} lag
 * @param {Date} now
 */
export function showTraffic(traffic, lag, now) {
	const { live, colors, release } = traffic;
	const serving = byId("serving");
	const active = colors.find(({ color }) => color === live);
	if (active !== undefined) {
		put(serving, colorName(fullName(active)), `is live with release ${active.release ?? "unknown"}`);
	} else {
		put(serving, release === null ? "nothing is live yet" : `release ${release} is live`);
	}
	put(
		byId("traffic"),
		...(colors.length > 0 ? colors.map((each) => colorCard(each, traffic, lag)) : [inPlaceCard(release)]),
	);
	write(byId("switch"), switchWords(traffic, now));
}

/** @param {ColorState} color */
function fullName({ color, generation }) {
	return generation === null ? color : `${color}-${generation}`;
}

/**
 * @param {ColorState} state
 * @param {Traffic} traffic
 * @param {Lag | null} lag
 */
function colorCard(state, { live, status }, lag) {
	const { color, database, address, release, building } = state;
	const isLive = color === live;
	return element(
		"article",
		{ class: `color ${color}${isLive ? " live" : ""}`, "data-color": color, "aria-label": `${color} colour` },
		colorName(fullName(state)),
		element("span", { class: "role" }, roleOf(state, live, status)),
		element(
			"p",
			{ class: "release wide" },
			database === null ? "no database" : `release ${release ?? "not recorded"}`,
		),
		element("p", { class: "muted wide" }, database !== null && `${database} at ${address}`),
		building !== null &&
			element(
				"p",
				{ class: "wide" },
				`being built: ${color}-${building.generation} for release ${building.release}`,
			),
		...followers(state, lag),
	);
}

/**
 * @param {ColorState} state
 * @param {Traffic["live"]} live
 * @param {Traffic["status"]} status
 */
function roleOf({ color, database, building }, live, status) {
	if (color === live) {
		return status === "switching" ? "live, switching" : "live";
	}
	if (status === "switching") {
		return "idle, switching";
	}
	return database !== null ? "idle" : building !== null ? "being built" : "unused";
}

/**
 * What is told on a colour of how it follows the live one.
 *
 * @param {ColorState} state
 * @param {Lag | null} lag
 */
function followers({ color }, lag) {
	return (lag?.links ?? [])
		.filter(({ to }) => to.split("-", 1)[0] === color)
		.map(({ to, from, value, connected }) =>
			element(
				"p",
				{ class: "wide" },
				`${to} follows ${from}, ${figure(value, lag?.unit ?? null)} behind${connected === false ? ", not connected" : ""}`,
			),
		);
}

/** @param {string | null} release */
function inPlaceCard(release) {
	return element(
		"article",
		{ class: "color" },
		element("span", { class: "name" }, "in place"),
		element("span", { class: "role" }, release === null ? "unused" : "live"),
		element("p", { class: "release wide" }, release === null ? "no release yet" : `release ${release}`),
	);
}

/**
 * @param {Traffic} traffic
 * @param {Date} now
 */
function switchWords({ status, live, switchStartedAt, switchCompletedAt, wentBack }, now) {
	if (status === "switching" && switchStartedAt !== null) {
		return switchCompletedAt === null
			? `The traffic has been moving since ${moment(switchStartedAt, now)}.`
			: `The traffic came to ${live} at ${moment(switchCompletedAt, now)}, and is watched there.`;
	}
	if (live === null || switchCompletedAt === null) {
		return "";
	}
	const how = wentBack ? "went back to" : "came to";
	const failed = status === "failed" ? " The last release failed." : "";
	return `The traffic ${how} ${live} at ${moment(switchCompletedAt, now)}.${failed}`;
}
