import { byId, element, put, show, write } from "./elements.js";
import { colorName, stateOf } from "./states.js";
import { counted, duration, moment } from "./words.js";

/**
 * @typedef {import("../state").MigrationRow} MigrationRow
 * @typedef {import("../state").MigrationState} MigrationState
 */

const COLUMNS = ["blue", "green", "building", "database"];

/**
 * Every migration, newest first, with what it is on each database.
 *
 * @param {MigrationRow[]} migrations
 * @param {Date} now
 */
export function showMigrations(migrations, now) {
	const columns = COLUMNS.filter((column) => migrations.some(({ on }) => column in on));
	show("migrations-table", migrations.length > 0);
	write(byId("migrations-summary"), summaryOf(migrations, columns));
	put(
		byId("migrations-head"),
		element("th", { scope: "col" }, "Migration"),
		...columns.map((column) =>
			element("th", { scope: "col" }, column === "blue" || column === "green" ? colorName(column) : column),
		),
	);
	put(
		byId("migrations"),
		...migrations.map(({ version, name, type, on }) =>
			element(
				"tr",
				{ "data-version": version },
				element("th", { scope: "row" }, `${version} ${name}`, element("span", { class: "muted" }, type)),
				...columns.map((column) => element("td", { "data-on": column }, ...cellOf(on[column], now))),
			),
		),
	);
}

/**
 * @param {MigrationRow[]} migrations
 * @param {string[]} columns
 */
function summaryOf(migrations, columns) {
	if (migrations.length === 0) {
		return "No migration has been applied yet.";
	}
	return columns
		.map((column) => {
			const applied = migrations.filter(({ on }) => on[column]?.applied);
			return `${column}: ${counted(applied.length, "migration")} applied, schema ${applied[0]?.version ?? "none"}`;
		})
		.join("; ");
}

/**
 * @param {MigrationState | undefined} state
 * @param {Date} now
 */
function cellOf(state, now) {
	if (state === undefined) {
		return [stateOf("skipped", "not there")];
	}
	const { status, applied, appliedAt, durationMs, error } = state;
	const isApplied = applied && status === "completed";
	const when = appliedAt === null ? "" : moment(appliedAt, now);
	const took = durationMs === null ? "" : `, ${duration(durationMs)}`;
	return [
		isApplied ? stateOf("applied") : stateOf(status),
		isApplied && element("span", { class: "muted" }, `${when}${took}`),
		error !== null && element("span", { class: "error" }, error),
	];
}
