import { byId, element, put, putDetails, show } from "./elements.js";
import { kindOf, running, stateOf } from "./states.js";
import { duration, moment } from "./words.js";

/**
 * @typedef {import("../state").Pipeline} Pipeline
 * @typedef {import("../state").Stage} Stage
 * @typedef {import("../state").Step} Step
 */

/**
 * The newest deployment, its stages and what was done last.
 *
 * @param {Pipeline | null} pipeline
 * @param {Date} now
 */
export function showPipeline(pipeline, now) {
	show("steps-details", pipeline !== null && pipeline.steps.length > 0);
	if (pipeline === null) {
		put(byId("pipeline"), element("p", { class: "muted" }, "There has been no deployment yet."));
		put(byId("stages"));
		return;
	}
	put(byId("pipeline"), ...headOf(pipeline, now));
	putDetails(byId("stages"), ...pipeline.stages.map(stageRow));
	put(byId("steps"), ...pipeline.steps.map((step) => stepRow(step, now)));
}

/**
 * @param {Pipeline} pipeline
 * @param {Date} now
 */
function headOf({ id, release, status, startedAt, completedAt, triggeredBy, commit, branch, error }, now) {
	const origin = [
		startedAt !== null && `begun ${moment(startedAt, now)}`,
		triggeredBy !== null && `by ${triggeredBy}`,
		commit !== null && `from ${commit.slice(0, 10)}${branch === null ? "" : ` on ${branch}`}`,
	];
	return [
		element(
			"p",
			{ class: "headline", "data-pipeline": id },
			element("strong", {}, `Release ${release}`),
			stateOf(status),
			element("span", { class: "took" }, tookOf(startedAt, completedAt, null, status)),
		),
		element("p", { class: "muted" }, `Number ${id}, ${origin.filter((part) => part !== false).join(" ")}`),
		error !== null && element("p", { class: "error" }, error),
	];
}

/** @param {Stage} stage */
function stageRow({ order, name, type, status, startedAt, completedAt, durationMs, output, error }) {
	return element(
		"li",
		{ class: kindOf(status), "data-stage": order, "data-name": name },
		stateOf(status),
		element("span", {}, name, " ", element("span", { class: "muted" }, type)),
		element("span", { class: "figure" }, tookOf(startedAt, completedAt, durationMs, status)),
		error !== null && element("p", { class: "error" }, error),
		output !== null &&
			element("details", { "data-of": order }, element("summary", {}, "Output"), element("pre", {}, output)),
	);
}

/**
 * How long something took, or has been taking so far.
 *
 * @param {string | null} startedAt
 * @param {string | null} completedAt
 * @param {number | null} durationMs
 * @param {string} status
 */
function tookOf(startedAt, completedAt, durationMs, status) {
	if (durationMs !== null) {
		return duration(durationMs);
	}
	if (startedAt === null) {
		return "";
	}
	if (completedAt !== null) {
		return duration(Date.parse(completedAt) - Date.parse(startedAt));
	}
	return status === "running" ? running(startedAt) : "";
}

/**
 * @param {Step} step
 * @param {Date} now
 */
function stepRow({ migration, step, status, durationMs, error, at }, now) {
	return element(
		"tr",
		{},
		element("td", { class: "when" }, moment(at, now)),
		element(
			"td",
			{},
			migration === null ? step : `${migration}: ${step}`,
			error !== null && element("span", { class: "error" }, error),
		),
		element("td", {}, stateOf(status)),
		element("td", { class: "figure" }, durationMs === null ? "" : duration(durationMs)),
	);
}
