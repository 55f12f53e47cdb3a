/** Reads the world into the state. */
import type { Plan } from "./plan";
import type { ResourceState } from "./state";
import type { Step } from "./steps";

/**
 * Refreshes every resource and returns the resources that are then in the state; `run` runs all steps, some of which
 * may fail.
 */
export async function refreshAll(
	plan: Plan,
	run: (steps: Step[]) => Promise<unknown>,
): Promise<ResourceState[]> {
	const steps = new Map<ResourceState, Step>();
	for (const old of plan.resources) {
		if (old.provider !== "") await plan.providers.ensure(old.provider);
		steps.set(old, { op: "refresh", urn: old.urn, type: old.type, old, new: old });
	}
	await run([...steps.values()]);
	return repair(plan.resources.map((old) => steps.get(old)!));
}

/** Leaves out what is gone, and every mention of it; children of what is gone move up to its parent. */
function repair(steps: Step[]): ResourceState[] {
	const resources: ResourceState[] = [];
	const there = new Set<string>();
	const parents = new Map<string, string>();
	for (const { old, new: found } of steps) {
		if (found === undefined) {
			parents.set(old!.urn, parentOf(old!.parent, there, parents));
			continue;
		}
		const only = (urns: string[]): string[] => urns.filter((urn) => there.has(urn));
		const state: ResourceState = {
			...found,
			dependencies: only(found.dependencies),
			propertyDependencies: Object.fromEntries(
				Object.entries(found.propertyDependencies)
					.map(([key, urns]) => [key, only(urns)] as const)
					.filter(([, urns]) => urns.length > 0),
			),
			deletedWith: there.has(found.deletedWith) ? found.deletedWith : "",
			parent: parentOf(found.parent, there, parents),
		};
		resources.push(state);
		there.add(state.urn);
	}
	return resources;
}

function parentOf(parent: string, there: ReadonlySet<string>, parents: ReadonlyMap<string, string>): string {
	return parent === "" || there.has(parent) ? parent : (parents.get(parent) ?? "");
}
