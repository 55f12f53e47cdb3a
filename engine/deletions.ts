/** What is deleted after the program has ended: whatever it no longer registers, and what was replaced. */
import type { Plan } from "./plan";
import type { ResourceState } from "./state";
import type { Step } from "./steps";

/** Rounds of deletions; each can run at once, dependents before what they depend on. */
export async function planDeletions(plan: Plan): Promise<Step[][]> {
	const steps = new Map<ResourceState, Step>();
	for (const old of plan.resources) {
		const step = stepFor(plan, old);
		if (step === undefined) continue;
		steps.set(old, step);
		plan.deletes.add(old.urn);
		if (old.provider !== "" && step.op !== "remove-pending-replace")
			await plan.providers.ensure(old.provider);
	}
	return plan.graph.deletionRounds(steps.keys()).map((round) => round.map((state) => steps.get(state)!));
}

function stepFor(plan: Plan, old: ResourceState): Step | undefined {
	const common = { urn: old.urn, type: old.type, old };
	if (old.delete) {
		if (plan.pendingDeletes.has(old)) return undefined;
		return { ...common, op: old.external ? "discard-replaced" : "delete-replaced" };
	}
	if (plan.isHandled(old.urn)) return undefined;
	if (old.pendingReplacement) return { ...common, op: "remove-pending-replace" };
	return { ...common, op: old.external ? "discard" : "delete" };
}
