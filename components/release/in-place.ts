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
export function inOrder<Migrated extends Resource, Served extends Resource>(
	plan: InPlacePlan,
	halves: { migrate(after: Resource[]): Migrated; serve(after: Resource[]): Served },
): { migrated: Migrated; served: Served } {
	if (plan === "migrate-first") {
		const migrated = halves.migrate([]);
		return { migrated, served: halves.serve([migrated]) };
	}
	const served = halves.serve([]);
	return { served, migrated: halves.migrate([served]) };
}
