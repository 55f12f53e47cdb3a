/** What happens to a resource's inputs before the provider compares them. */
import type { Goal } from "./goal";
import { parsePath, resetPath } from "./propertyPath";
import type { CheckFailure } from "./provider";
import { nameOf } from "./urn";
import { type PropertyMap, Secret } from "./values";

/** Inputs with what the program wants ignored as it was; `invalid` are paths through what was added or removed. */
export function ignoreChanges(
	wanted: PropertyMap,
	before: PropertyMap,
	paths: string[],
): { inputs: PropertyMap; invalid: string[] } {
	let inputs = wanted;
	const invalid: string[] = [];
	for (const text of paths) {
		const path = parsePath(text);
		if (path === undefined) continue;
		const reset = resetPath(inputs, before, path);
		if (reset === undefined) invalid.push(text);
		else inputs = reset;
	}
	return { inputs, invalid };
}

/** What a provider's check says against a resource; secret values stay hidden. */
export function failureText(urn: string, goal: Goal, failure: CheckFailure, inputs: PropertyMap): string {
	if (failure.property === "") {
		return `${goal.type} resource '${nameOf(urn)}' has a problem: ${failure.reason}`;
	}
	const value = inputs[failure.property];
	const hidden = goal.properties[failure.property] instanceof Secret || value instanceof Secret;
	const shown = hidden ? "[secret]" : typeof value === "string" ? value : JSON.stringify(value ?? null);
	return `${goal.type} resource '${nameOf(urn)}': property ${failure.property} value {${shown}} has a problem: ${failure.reason}`;
}
