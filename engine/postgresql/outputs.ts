import { containsUnknown, type Properties, UNKNOWN, type Value } from "../provider";
import { isCollection, isZero, ordered } from "./plan";
import type { Property, ResourceType } from "./properties";

/**
 * The outputs of a create or update: what was planned, overlaid with what the server then says. `prior` are the
 * outputs so far, absent for a new resource.
 */
export function applied(
	type: ResourceType,
	id: Value,
	planned: Properties,
	actual: Properties,
	prior: Properties = {},
): Properties {
	const values: Properties = {};
	for (const [name, property] of Object.entries(type.properties)) {
		const expected = planned[name] ?? null;
		const found = actual[name];
		if (found === undefined) {
			values[name] = unreported(property, expected, prior[name] ?? null);
		} else {
			// A collection that is empty stays as it was planned, null or empty.
			const isEmptyBoth = isCollection(property) && isZero(found) && isZero(expected);
			values[name] = isEmptyBoth ? expected : ordered(property, found);
		}
	}
	return withState(type, id, values);
}

/** What becomes of a property about which the server says nothing. */
function unreported(property: Property, expected: Value, prior: Value): Value {
	if (expected === UNKNOWN) {
		return isCollection(property) ? [] : null;
	}
	const isTakenAway = expected === null && prior !== null && !property.writeOnly;
	return isTakenAway && property.kind === "string" ? "" : expected;
}

/** The outputs of a preview, in which nothing has been asked of the server. */
export function previewed(type: ResourceType, id: Value, planned: Properties): Properties {
	return containsUnknown({ ...planned, id }) ? { ...planned, id } : withState(type, id, planned);
}

/** The outputs of a read: what was known, overlaid with what the server says. */
export function refreshed(type: ResourceType, id: Value, prior: Properties, actual: Properties): Properties {
	const values: Properties = {};
	for (const [name, property] of Object.entries(type.properties)) {
		values[name] = ordered(property, actual[name] ?? prior[name] ?? null);
	}
	return withState(type, id, values);
}

function withState(type: ResourceType, id: Value, values: Properties): Properties {
	return { ...values, id, __pulumi_raw_state_delta: rawStateDelta(type, values) };
}

/** The plugin's note to itself on how to turn the state's values back into its own. */
function rawStateDelta(type: ResourceType, values: Properties): Value {
	const elements: Properties = {};
	const renamed: Properties = {};
	for (const [name, property] of Object.entries(type.properties)) {
		if (property.innerName !== undefined) {
			renamed[name] = property.innerName;
		}
		const value = values[name];
		if (Array.isArray(value)) {
			elements[name] = { arr: property.kind === "policies" ? objectElements(value) : {} };
		}
	}
	const delta: Properties = {};
	if (Object.keys(elements).length > 0) {
		delta.ps = elements;
	}
	if (Object.keys(renamed).length > 0) {
		delta.renamed = renamed;
	}
	return { obj: delta };
}

function objectElements(value: Value[]): Value {
	return value.length === 0
		? {}
		: { el: Object.fromEntries(value.map((_, index) => [String(index), { obj: {} }])) };
}

/**
 * The inputs that a program would have to give to get `outputs`. After an update they are the known inputs with what
 * drifted put in; for a resource that is read for the first time, everything that is not as by default.
 */
export function inputsOf(type: ResourceType, outputs: Properties, known: Properties): Properties {
	return Object.keys(known).length === 0 ? firstInputs(type, outputs) : driftedInputs(outputs, known);
}

function driftedInputs(outputs: Properties, known: Properties): Properties {
	const inputs: Properties = {};
	const defaults: Value[] = [];
	for (const [name, old] of Object.entries(known)) {
		const found = outputs[name];
		if (name === "__defaults" || found === undefined) {
			continue;
		}
		inputs[name] = Array.isArray(old) && Array.isArray(found) ? found.slice(0, old.length) : found;
		if (Array.isArray(known.__defaults) && known.__defaults.includes(name) && old === found) {
			defaults.push(name);
		}
	}
	return defaults.length === 0 ? inputs : { ...inputs, __defaults: defaults.sort() };
}

function firstInputs(type: ResourceType, outputs: Properties): Properties {
	const inputs: Properties = { __defaults: [] };
	for (const [name, property] of Object.entries(type.properties)) {
		const value = outputs[name] ?? null;
		if (property.default === undefined ? !isZero(value) : value !== property.default) {
			inputs[name] = value;
		}
	}
	return inputs;
}
