import type * as pulumi from "@pulumi/pulumi";

/**
 * A dynamic provider whose code is loaded when it runs.
 *
 * Pulumi serializes a dynamic provider into the state of each of its resources. This one serializes to the path of a
 * module only, so that a change of the implementation is no change of every resource, and deleting a resource runs
 * today's code rather than that of the day it was created.
 *
 * @param module path from the project's folder of a module that exports `provider`
 */
export function lateProvider(module: string): pulumi.dynamic.ResourceProvider {
	const load = (): pulumi.dynamic.ResourceProvider => {
		// Lets Node load TypeScript, in the provider host as in the program.
		require("tsx/cjs");
		return require(require("node:path").join(process.cwd(), module)).provider;
	};
	return {
		check: (olds, news) => load().check!(olds, news),
		diff: (id, olds, news) => load().diff!(id, olds, news),
		create: (inputs) => load().create(inputs),
		read: (id, properties) => load().read!(id, properties),
		update: (id, olds, news) => load().update!(id, olds, news),
		delete: (id, properties) => load().delete!(id, properties),
	};
}
