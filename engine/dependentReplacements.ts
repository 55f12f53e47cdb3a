/** What else has to be replaced when a resource is deleted before its replacement is made. */
import { applyReplaceOnChanges, isReplacement } from "./diff";
import type { Plan } from "./plan";
import { UNKNOWN } from "./provider";
import type { ResourceState } from "./state";
import { isProviderType, providerUrn } from "./urn";
import { type PropertyMap, setKey } from "./values";

export interface DependentReplacement {
	state: ResourceState;
	/** The properties that force it. */
	keys: string[];
}

/**
 * The dependents of `root`, in dependency order, whose provider says that they cannot outlive a change of what they
 * take from it. What they take is given to the provider as unknown.
 */
export async function dependentReplacements(
	plan: Plan,
	root: ResourceState,
): Promise<DependentReplacement[]> {
	const replaced = new Set([root.urn]);
	const registered = [plan.reads, plan.creates, plan.sames, plan.updates, plan.deletes, plan.replaces];
	const impossible = new Set(registered.flatMap((set) => [...set]));
	const found: DependentReplacement[] = [];
	for (const state of plan.graph.dependingOn(root, impossible)) {
		const keys = await keysForcing(plan, state, replaced);
		if (keys === undefined) continue;
		found.push({ state, keys });
		replaced.add(state.urn);
	}
	for (const state of plan.olds.values()) {
		if (
			state.deletedWith === root.urn &&
			!found.some((one) => one.state === state) &&
			!impossible.has(state.urn)
		) {
			found.push({ state, keys: [] });
		}
	}
	return found;
}

/** Undefined when the resource can stay. */
async function keysForcing(
	plan: Plan,
	state: ResourceState,
	replaced: ReadonlySet<string>,
): Promise<string[] | undefined> {
	if (!state.custom || state.external) return undefined;
	if (state.provider !== "" && replaced.has(providerUrn(state.provider))) {
		await plan.providers.ensure(state.provider);
		return [];
	}
	if (state.deletedWith !== "" && replaced.has(state.deletedWith)) return [];
	const inputs: PropertyMap = {};
	let depends = false;
	for (const [key, value] of Object.entries(state.inputs)) {
		const changes = (state.propertyDependencies[key] ?? []).some((urn) => replaced.has(urn));
		depends ||= changes;
		setKey(inputs, key, changes ? UNKNOWN : value);
	}
	if (!depends) return undefined;
	const diff = isProviderType(state.type)
		? await plan.providers.diff(state, inputs)
		: await (await plan.providers.ensure(state.provider)).diff(state, inputs, state.ignoreChanges);
	const final = applyReplaceOnChanges(diff, state.replaceOnChanges, false);
	return isReplacement(final) ? final.replaceKeys : undefined;
}
