import { byId, element, putDetails, show, write } from "./elements.js";
import { stateOf } from "./states.js";
import { counted, duration, moment, plain } from "./words.js";

/** @typedef {import("../state").Rollback} Rollback */

/**
 * The newest rollbacks with their reasons and steps.
 *
 * @param {Rollback[]} rollbacks
 * @param {Date} now
 */
export function showRollbacks(rollbacks, now) {
	show("rollbacks-none", rollbacks.length === 0);
	write(byId("rollbacks-none"), "There has been none.");
	putDetails(byId("rollbacks"), ...rollbacks.map((rollback) => itemOf(rollback, now)));
}

/**
 * @param {Rollback} rollback
 * @param {Date} now
 */
function itemOf(
	{ id, pipelineId, type, reason, from, to, status, startedAt, completedAt, error, steps },
	now,
) {
	const took = completedAt === null ? "" : ` in ${duration(Date.parse(completedAt) - Date.parse(startedAt))}`;
	return element(
		"li",
		{ "data-rollback": id },
		element(
			"p",
			{ class: "headline" },
			element("strong", {}, `${from ?? "nothing"} to ${to ?? "nothing"}`),
			stateOf(status),
			element("span", { class: "took" }, moment(startedAt, now)),
		),
		element("p", { class: "reason" }, reason),
		element("p", { class: "muted" }, `${plain(type)}, of deployment ${pipelineId}${took}`),
		error !== null && element("p", { class: "error" }, error),
		steps.length > 0 &&
			element(
				"details",
				{ "data-of": id },
				element("summary", {}, counted(steps.length, "step")),
				element("ol", { class: "stages" }, ...steps.map(stepOf)),
			),
	);
}

/** @param {Rollback["steps"][number]} step */
function stepOf({ step, status, durationMs, backups }) {
	return element(
		"li",
		{},
		stateOf(status),
		element(
			"span",
			{},
			step,
			backups.length > 0 && element("span", { class: "muted" }, ` rows saved in ${backups.join(", ")}`),
		),
		element("span", { class: "figure" }, durationMs === null ? "" : duration(durationMs)),
	);
}
