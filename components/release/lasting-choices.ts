import type { Settings } from "../settings/settings";
import { ReleasePlanError } from "./release-plan-error";

/** What a stack is deployed with for as long as it is there. */
export type LastingChoices = Pick<Settings, "strategy" | "platform"> & {
	/** Unknown where it was deployed before that was among its outputs. */
	environment?: Settings["environment"] | undefined;
};

/** Stacks that were deployed before the platform was among their outputs could not be on another one. */
const FIRST_PLATFORM: Settings["platform"] = "local";

/** What a stack was deployed with, by its last outputs; undefined before the first update has finished. */
export function deployedChoices(outputs: {
	live?: unknown;
	release?: unknown;
	platform?: Settings["platform"] | undefined;
	environment?: Settings["environment"] | undefined;
}): LastingChoices | undefined {
	const { live, release, platform = FIRST_PLATFORM, environment } = outputs;
	return release === undefined && live === undefined
		? undefined
		: { strategy: live === undefined ? "in-place" : "blue-green", platform, environment };
}

/**
 * Refuses to turn a deployed stack into one of the other strategy or to put it on another platform: the databases of
 * the one have no place in the other, and would be dropped with their rows. And to call its environment another, since
 * what protects production would then not be asked.
 *
 * @throws ReleasePlanError naming every choice that differs
 */
export function refuseOtherChoices(deployed: LastingChoices | undefined, wanted: LastingChoices): void {
	const problems = (["strategy", "platform", "environment"] as const).flatMap((key) =>
		deployed?.[key] === undefined || deployed[key] === wanted[key]
			? []
			: [
					`${key}: found ${wanted[key]}, but this stack is deployed with ${deployed[key]}, and the ${key} of a deployed ` +
						`stack cannot be changed; set it back to ${deployed[key]}, or deploy a new stack with ${wanted[key]}`,
				],
	);
	if (problems.length > 0) {
		throw new ReleasePlanError(problems);
	}
}
