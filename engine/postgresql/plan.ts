import { containsUnknown, type Properties, UNKNOWN, type Value } from "../provider";
import type { Property, ResourceType } from "./properties";

/**
 * What the resource's properties will be once `inputs` are applied; `UNKNOWN` where only the server can tell.
 * `prior` are the outputs so far, absent for a new resource.
 */
export function plan(type: ResourceType, inputs: Properties, prior?: Properties): Properties {
	const planned: Properties = {};
	for (const [name, property] of Object.entries(type.properties)) {
		planned[name] = planOne(
			property,
			inputs[name] ?? null,
			prior === undefined ? undefined : (prior[name] ?? null),
		);
	}
	return planned;
}

function planOne(property: Property, input: Value, prior: Value | undefined): Value {
	if (property.writeOnly) {
		return null;
	}
	if (containsUnknown(input)) {
		return UNKNOWN;
	}
	if (property.computed && isZero(input) && typeof input !== "boolean") {
		return prior === undefined ? UNKNOWN : prior;
	}
	if (isCollection(property)) {
		return isZero(input) ? emptied(prior) : ordered(property, input);
	}
	// What says nothing stays as it is: 0 and an empty text are not turned into null.
	return input ?? property.default ?? (isZero(prior) ? (prior ?? null) : null);
}

/** A collection that was never there is null, one that was emptied is empty. */
export function emptied(prior: Value | undefined): Value {
	return Array.isArray(prior) ? [] : null;
}

export function isCollection({ kind }: Property): boolean {
	return kind === "set" || kind === "list" || kind === "policies";
}

/** Sets are kept sorted and without repetitions. */
export function ordered(property: Property, value: Value): Value {
	if (property.kind !== "set" || !Array.isArray(value)) {
		return value;
	}
	return [...new Set(value.map(String))].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Nothing, in any of the forms that say so. */
export function isZero(value: Value | undefined): boolean {
	return (
		value === undefined ||
		value === null ||
		value === "" ||
		value === 0 ||
		value === false ||
		(Array.isArray(value) && value.length === 0)
	);
}

/** Whether two values of a property mean the same. */
export function isSame(property: Property, left: Value | undefined, right: Value | undefined): boolean {
	if (left === UNKNOWN || right === UNKNOWN) {
		return false;
	}
	if (isZero(left) && isZero(right)) {
		return true;
	}
	const canonical = (value: Value | undefined) => JSON.stringify(ordered(property, value ?? null));
	return canonical(left) === canonical(right);
}

/** The names of the properties that differ between what is and what is planned. */
export function changedProperties(type: ResourceType, prior: Properties, planned: Properties): string[] {
	return Object.entries(type.properties)
		.filter(([name, property]) => !isSame(property, prior[name], planned[name]))
		.map(([name]) => name);
}
