"use strict";
const { reporters, Runner } = require("mocha");

/** The spec reporter, closed by the plain line that continuous integration reads. */
class PlainCount extends reporters.Spec {
	constructor(runner, options) {
		super(runner, options);
		runner.once(Runner.constants.EVENT_RUN_END, () => {
			const { passes, failures, pending } = this.stats;
			console.log(`${passes} passed, ${failures} failed, ${pending} skipped`);
		});
	}
}

module.exports = PlainCount;
