"use strict";
const { relative } = require("node:path");
const { reporters, Runner } = require("mocha");

const SLOWEST = 15;

/** The spec reporter, closed by the files that took longest and the plain line that continuous integration reads. */
class PlainCount extends reporters.Spec {
	constructor(runner, options) {
		super(runner, options);
		const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_RUN_END } = Runner.constants;
		const began = new Map();
		const seconds = new Map();
		runner.on(EVENT_SUITE_BEGIN, (suite) => began.set(suite, Date.now()));
		runner.on(EVENT_SUITE_END, (suite) => {
			if (suite.parent?.root) {
				const file = relative(process.cwd(), suite.file ?? "");
				seconds.set(file, (seconds.get(file) ?? 0) + (Date.now() - began.get(suite)) / 1000);
			}
		});
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
