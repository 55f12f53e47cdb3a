import { byId, element, show, write } from "./elements.js";
import { colorName, stateOf } from "./states.js";
import { figure, moment, plain } from "./words.js";

/** @typedef {import("../state").HealthCheck} HealthCheck */

const WORDS = { PASS: "pass", WARNING: "warning", FAIL: "fail" };
const ORDER = [
	"database_connectivity",
	"api_endpoints",
	"performance",
	"replication_lag",
	"connections",
	"migrations",
];
/** What was checked so much earlier than the rest says when. */
const SAME_TIME_MS = 60_000;

/**
 * The newest result of each check, those of the live colour first.
 *
 * @param {HealthCheck[]} checks
 * @param {string | null} live
 * @param {Date} now
 */
export function showChecks(checks, live, now) {
	const table = byId("checks");
	for (const group of table.querySelectorAll("tbody")) {
		group.remove();
	}
	show("checks", checks.length > 0);
	write(byId("checks-summary"), summaryOf(checks));
	const colors = [...new Set(checks.map(({ color }) => color))].sort(
		(left, right) => rank(left) - rank(right),
	);
	table.append(
		...colors.map((color) =>
			groupOf(
				color,
				color === live,
				checks.filter((check) => check.color === color),
				now,
			),
		),
	);

	/** @param {string | null} color */
	function rank(color) {
		return color === live ? 0 : 1;
	}
}

/** @param {HealthCheck[]} checks */
function summaryOf(checks) {
	if (checks.length === 0) {
		return "Nothing has been checked yet.";
	}
	return Object.entries(WORDS)
		.reverse()
		.map(([status, word]) => [checks.filter((check) => check.status === status).length, word])
		.filter(([count]) => count !== 0)
		.map(([count, word]) => `${count} ${word}`)
		.join(", ");
}

/**
 * @param {string | null} color
 * @param {boolean} isLive
 * @param {HealthCheck[]} checks
 * @param {Date} now
 */
function groupOf(color, isLive, checks, now) {
	const newest =
		checks
			.map(({ checkedAt }) => checkedAt)
			.sort()
			.at(-1) ?? "";
	const place = (/** @type {HealthCheck} */ { name }) => ORDER.indexOf(name) + 1 || ORDER.length + 1;
	const told = `${isLive ? "live, " : ""}checked ${moment(newest, now)}`;
	return element(
		"tbody",
		{},
		element(
			"tr",
			{},
			element(
				"th",
				{ scope: "rowgroup", colspan: 3 },
				color === null ? "the release" : colorName(color),
				element("span", { class: "muted" }, told),
			),
		),
		...checks
			.sort((left, right) => place(left) - place(right))
			.map((check) => checkRow(check, Date.parse(newest), now)),
	);
}

/**
 * @param {HealthCheck} check
 * @param {number} newest
 * @param {Date} now
 */
function checkRow({ color, name, status, figure: value, unit, detail, checkedAt }, newest, now) {
	const word = Object.entries(WORDS).find(([known]) => known === status)?.[1];
	const isOlder = newest - Date.parse(checkedAt) > SAME_TIME_MS;
	return element(
		"tr",
		{ "data-check": name, "data-color": color ?? "" },
		element(
			"th",
			{ scope: "row" },
			plain(name),
			detail !== null && element("span", { class: "muted" }, detail),
			isOlder && element("span", { class: "muted" }, `checked ${moment(checkedAt, now)}`),
		),
		element("td", { class: "figure" }, value === null ? "–" : figure(value, unit)),
		element("td", {}, stateOf(status, word)),
	);
}
