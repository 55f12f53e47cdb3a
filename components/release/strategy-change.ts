import type { Settings } from "../settings/settings";
import { ReleasePlanError } from "./release-plan-error";

type Strategy = Settings["strategy"];

/** The strategy that a stack was deployed with, by its last outputs; undefined before the first update has finished. */
export function deployedStrategy(outputs: { live?: unknown; release?: unknown }): Strategy | undefined {
	if (outputs.live !== undefined) return "blue-green";
	return outputs.release === undefined ? undefined : "in-place";
}

/**
 * Refuses to turn a deployed stack into one of the other strategy: the database of the one has no place in the other.
 *
 * @throws ReleasePlanError when the strategies differ
 */
export function refuseStrategyChange(deployed: Strategy | undefined, wanted: Strategy): void {
	if (deployed !== undefined && deployed !== wanted) {
		throw new ReleasePlanError([
			`strategy: found ${wanted}, but this stack is deployed with ${deployed}, and the strategy of a deployed stack ` +
				`cannot be changed; set it back to ${deployed}, or deploy a new stack with ${wanted}`,
		]);
	}
}
