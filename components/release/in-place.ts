import type { Resource } from "@pulumi/pulumi";
import { compareVersions } from "../migrations/migration";

/**
 * How a release reaches the one database of strategy `in-place`.
 * - `migrate-first`: the schema grows, then the new service starts on it.
 * - `serve-first`: the service of the older release takes the traffic while the newer schema, which it can live with,
 *   is still there; only then are the migrations undone that it does not know. The other way round the newer service
 *   would meet tables that are gone.
 */
export type InPlacePlan = "migrate-first" | "serve-first";

/**
 * Decides the order of an in-place update.
 *
 * @param live the releases that may be serving: that of the last finished update, and that which has the traffic
 */
export function planInPlace(live: readonly string[], release: string): InPlacePlan {
	return live.some((other) => compareVersions(release, other) < 0) ? "serve-first" : "migrate-first";
}

/** Declares the two halves of an in-place update so that the second waits for the first. */
export function inOrder<Migrated extends Resource, Tested extends Resource, Served extends Resource>(
	plan: InPlacePlan,
	halves: {
		migrate(after: Resource[]): Migrated;
		/** Tests of what was migrated. */
		test(migrated: Migrated): Tested[];
		serve(after: Resource[]): Served;
	},
): { migrated: Migrated; tested: Tested[]; served: Served } {
	if (plan === "migrate-first") {
		const migrated = halves.migrate([]);
		const tested = halves.test(migrated);
		return { migrated, tested, served: halves.serve([migrated, ...tested]) };
	}
	const served = halves.serve([]);
	const migrated = halves.migrate([served]);
	return { served, migrated, tested: halves.test(migrated) };
}
