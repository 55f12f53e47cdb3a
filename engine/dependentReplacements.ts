/** What else has to be replaced when a resource is deleted before its replacement is made. */
import { applyReplaceOnChanges, isReplacement } from "./diff";
import { Bail } from "./errors";
import type { Plan } from "./plan";
import { UNKNOWN } from "./provider";
import type { ResourceState } from "./state";
import type { Step } from "./steps";
import { isProviderType, providerUrn } from "./urn";
import { type PropertyMap, setKey } from "./values";

interface DependentReplacement {
	state: ResourceState;
	/** The properties that force it. */
	keys: string[];
}

/**
 * The dependents of `root`, in dependency order, whose provider says that they cannot outlive a change of what they
 * take from it. What they take is given to the provider as unknown.
 */
async function dependentReplacements(plan: Plan, root: ResourceState): Promise<DependentReplacement[]> {
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

/** A deletion that belongs to a replacement; with `replacementFollows` the replacement is still to be created. */
export function deletionForReplacement(old: ResourceState, replacementFollows: boolean): Step {
	return {
		op: old.external ? "discard-replaced" : "delete-replaced",
		urn: old.urn,
		type: old.type,
		old,
		replacementFollows,
	};
}

/**
 * Deletes, in reverse order, what cannot outlive the deletion of `old`.
 * @throws Bail when one of them is protected; the reason has been shown.
 */
export async function deleteDependents(plan: Plan, urn: string, old: ResourceState): Promise<Step[]> {
	const dependents = await dependentReplacements(plan, old);
	const steps: Step[] = [];
	for (const { state, keys } of dependents.reverse()) {
		if (plan.pendingDeletes.has(state)) continue;
		plan.dependentReplaceKeys.set(state.urn, keys);
		if (state.protect && !state.delete) {
			plan.diagnostics.error(
				urn,
				`unable to replace resource "${state.urn}" as part of replacing "${urn}" as it is currently marked for ` +
					"protection. To unprotect the resource, remove the `protect` flag from the resource in your Pulumi " +
					`program and run \`pulumi up\`, or use the command:\n\`pulumi state unprotect '${state.urn}'\``,
			);
			plan.failed = true;
			throw new Bail();
		}
		steps.push(deletionForReplacement(state, !state.delete));
		if (state.provider !== "") await plan.providers.ensure(state.provider);
		plan.deletes.add(state.urn);
		plan.pendingDeletes.add(state);
	}
	return steps;
}
