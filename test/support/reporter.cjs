"use strict";
const { relative } = require("node:path");
const { reporters, Runner } = require("mocha");

const SLOWEST = 15;

/** The spec reporter, closed by the files that took longest and the plain line that continuous integration reads. */
class PlainCount extends reporters.Spec {
	constructor(runner, options) {
		super(runner, options);
		const { EVENT_HOOK_END, EVENT_RUN_END, EVENT_TEST_END } = Runner.constants;
		const seconds = new Map();
		const count = ({ file, duration = 0 }) => {
			const path = relative(process.cwd(), file ?? "");
			seconds.set(path, (seconds.get(path) ?? 0) + duration / 1000);
		};
		runner.on(EVENT_TEST_END, count);
		runner.on(EVENT_HOOK_END, count);
		runner.once(EVENT_RUN_END, () => {
			const slowest = [...seconds].sort(([, one], [, other]) => other - one).slice(0, SLOWEST);
			console.log("Seconds in the slowest files, their hooks included:");
			for (const [file, took] of slowest) {
				console.log(`  ${took.toFixed(0).padStart(5)}  ${file}`);
			}
			const { passes, failures, pending } = this.stats;
			console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
		});
	}
}

module.exports = PlainCount;
