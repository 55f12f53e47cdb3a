"use strict";
/*
 * Loaded into the Pulumi program before anything else. Node 20 colours the names of packages in stack lines and never
 * comes back from a line in which too little follows `node_modules/`, such as `node_modules/@pulumi/output.ts:1:2`,
 * which the SDK's source maps produce. Where such a line is to be shown in colour, it is shown without.
 */
const util = require("node:util");

const ENDS_IN_PACKAGE = /[\\/]node_modules([\\/])(?!@)(?:(?!\1).)*$/m;
const ENDS_IN_SCOPE = /[\\/]node_modules([\\/])@(?:(?!\1).)*(?:\1(?:(?!\1).)*)?$/m;

util.inspect = new Proxy(util.inspect, {
	apply(inspect, self, [value, options, depth, colors]) {
		const given =
			typeof options === "object" && options !== null ? options : { showHidden: options, depth, colors };
		const wanted = Object.fromEntries(Object.entries(given).filter(([, setting]) => setting !== undefined));
		if (!(wanted.colors ?? inspect.defaultOptions.colors))
			return Reflect.apply(inspect, self, [value, wanted]);
		const plain = Reflect.apply(inspect, self, [value, { ...wanted, colors: false }]);
		if (ENDS_IN_PACKAGE.test(plain) || ENDS_IN_SCOPE.test(plain)) return plain;
		return Reflect.apply(inspect, self, [value, wanted]);
	},
});
