import { byId, drawing, element, put, show, write } from "./elements.js";
import { durationScale } from "./scale.js";
import { kindOf, shapeOf, stateOf } from "./states.js";
import { counted, day, duration, moment, plain } from "./words.js";

/** @typedef {import("../state").PastDeployment} PastDeployment */

const HEIGHT = 170;
const LEFT = 56;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 20;
const MARK = 10;
const DAYS = 30;
const DAY_MS = 86_400_000;
const WEEKS = [28, 21, 14, 7, 0];

/**
 * The deployments of 30 days: when each began, how long it took and how it ended.
 *
 * @param {PastDeployment[]} deployments newest first
 * @param {Date} now
 */
export function showHistory(deployments, now) {
	show("history-details", deployments.length > 0);
	show("history-plot", deployments.length > 0);
	write(byId("history-summary"), summaryOf(deployments));
	if (deployments.length > 0) {
		drawPlot(deployments, now);
		put(byId("history-rows"), ...deployments.map((each) => rowOf(each, now)));
	}
}

/** @param {PastDeployment[]} deployments */
function summaryOf(deployments) {
	if (deployments.length === 0) {
		return "There has been none.";
	}
	const outcomes = ["completed", "rolled_back", "failed", "running", "pending"].flatMap((outcome) => {
		const count = deployments.filter(({ status }) => status === outcome).length;
		return count === 0 ? [] : [`${count} ${plain(outcome)}`];
	});
	const durations = deployments
		.flatMap(({ status, durationMs }) => (status === "completed" && durationMs !== null ? [durationMs] : []))
		.sort((left, right) => left - right);
	const median = durations[Math.floor(durations.length / 2)];
	const typical = median === undefined ? "" : `; completed ones took ${duration(median)} (median)`;
	return `${counted(deployments.length, "deployment")}: ${outcomes.join(", ")}${typical}`;
}

/**
 * @param {PastDeployment[]} deployments
 * @param {Date} now
 */
function drawPlot(deployments, now) {
	const plot = byId("history-plot");
	const width = Math.max(200, plot.clientWidth);
	const end = now.getTime();
	const begin = end - DAYS * DAY_MS;
	const durations = deployments.map((each) => lasted(each, end));
	const scale = durationScale(Math.max(1000, ...durations));
	const x = (/** @type {number} */ at) => LEFT + ((at - begin) / (end - begin)) * (width - LEFT - RIGHT);
	const y = (/** @type {number} */ ms) => HEIGHT - BOTTOM - (ms / scale.end) * (HEIGHT - TOP - BOTTOM);
	const lines = Array.from(
		{ length: Math.round(scale.end / scale.step) + 1 },
		(_, index) => index * scale.step,
	);
	put(
		plot,
		drawing(
			"svg",
			{
				viewBox: `0 0 ${width} ${HEIGHT}`,
				height: HEIGHT,
				role: "img",
				"aria-label": `Duration and outcome of each deployment of 30 days: ${summaryOf(deployments)}`,
			},
			...lines.flatMap((ms) => [
				drawing("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(ms), y2: y(ms) }),
				drawing("text", { x: LEFT - 8, y: y(ms) + 4, "text-anchor": "end" }, axisWord(ms)),
			]),
			...WEEKS.map((ago) => {
				const at = end - ago * DAY_MS;
				const anchor = ago === 0 ? "end" : "middle";
				return drawing(
					"text",
					{ x: x(at), y: HEIGHT - 4, "text-anchor": anchor },
					ago === 0 ? "now" : day(new Date(at)),
				);
			}),
			...[...deployments]
				.reverse()
				.map((each) =>
					markOf(each, x(Math.max(begin, Date.parse(each.startedAt))), y(lasted(each, end)), y(0)),
				),
		),
		legendOf(deployments),
	);
}

/**
 * @param {PastDeployment} deployment
 * @param {number} now
 */
function lasted({ durationMs, startedAt, status }, now) {
	return durationMs ?? (status === "running" ? Math.max(0, now - Date.parse(startedAt)) : 0);
}

/** @param {number} ms */
function axisWord(ms) {
	if (ms === 0) {
		return "0";
	}
	const [unit, word] =
		ms % 3_600_000 === 0 ? [3_600_000, "h"] : ms % 60_000 === 0 ? [60_000, "min"] : [1000, "s"];
	return `${ms / unit} ${word}`;
}

/**
 * @param {PastDeployment} deployment
 * @param {number} x
 * @param {number} y
 * @param {number} foot
 */
function markOf({ id, release, status, durationMs, startedAt }, x, y, foot) {
	const kind = kindOf(status);
	const took = durationMs === null ? "" : ` in ${duration(durationMs)}`;
	const size = MARK / 16;
	return drawing(
		"g",
		{ "data-deployment": id },
		drawing("title", {}, `${release} ${plain(status)}${took}, begun ${moment(startedAt, new Date(0))}`),
		drawing("line", { class: `stem ${kind}`, x1: x, x2: x, y1: Math.min(foot, y + MARK / 2), y2: foot }),
		drawing("path", {
			class: `mark ${kind}`,
			d: shapeOf(status),
			transform: `translate(${(x - MARK / 2).toFixed(1)} ${(y - MARK / 2).toFixed(1)}) scale(${size})`,
		}),
	);
}

/** @param {PastDeployment[]} deployments */
function legendOf(deployments) {
	const outcomes = [...new Set(deployments.map(({ status }) => status))];
	return element(
		"p",
		{ class: "legend", "aria-hidden": "true" },
		...outcomes.map((outcome) => stateOf(outcome)),
	);
}

/**
 * @param {PastDeployment} deployment
 * @param {Date} now
 */
function rowOf({ id, release, status, startedAt, durationMs, triggeredBy, error }, now) {
	return element(
		"tr",
		{ "data-deployment": id },
		element(
			"td",
			{},
			element("span", { class: "when" }, moment(startedAt, now)),
			triggeredBy !== null && element("span", { class: "muted" }, `by ${triggeredBy}`),
		),
		element("td", {}, release),
		element("td", {}, stateOf(status), error !== null && element("span", { class: "muted" }, error)),
		element("td", { class: "figure" }, durationMs === null ? "" : duration(durationMs)),
	);
}
