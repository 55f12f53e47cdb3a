import { byId, element, put, write } from "./elements.js";

/** @typedef {import("../state").Environment} Environment */

/**
 * The stack and its settings.
 *
 * @param {Environment | null} environment
 */
export function showEnvironment(environment) {
	if (environment === null) {
		put(byId("environment"), element("div", {}, element("dt", {}, "The stack has not been deployed yet.")));
		return;
	}
	const { stack, type, config } = environment;
	write(byId("stack"), stack);
	write(
		byId("about"),
		[type, config.strategy, config.platform].filter((part) => part !== undefined).join(", "),
	);
	/** @type {[string, string | number | boolean][]} */
	const settings = [
		["database", environment.databaseName],
		["database address", `${environment.databaseHost}:${environment.databasePort}`],
		["database user", environment.databaseUser],
		["pool size", environment.poolSize],
		["most connections", environment.maxConnections],
		["backups", environment.backupSchedule],
		["monitoring", environment.monitoring],
		["alerting", environment.alerting],
		...Object.entries(config)
			.filter(([name]) => name !== "strategy" && name !== "platform")
			.map(([name, value]) => /** @type {[string, string | number | boolean]} */ ([spaced(name), value])),
	];
	put(
		byId("environment"),
		...settings.map(([name, value]) =>
			element("div", {}, element("dt", {}, name), element("dd", {}, wordOf(value))),
		),
	);
}

/** @param {string | number | boolean} value */
function wordOf(value) {
	return value === true ? "on" : value === false ? "off" : String(value);
}

/**
 * `logLevel` is told as `log level`.
 *
 * @param {string} name
 */
function spaced(name) {
	return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
