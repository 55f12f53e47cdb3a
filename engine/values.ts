/**
 * Property values as the engine keeps them: JSON, plus what a plan needs to know about a value: that it is secret,
 * not known yet, or stands for another resource.
 */
import { type Properties, UNKNOWN, type Unknown, type Value } from "./provider";

/** A value that is never shown and is encrypted wherever it is written. */
export class Secret {
	/** What this value was last encrypted to; kept so that an unchanged secret leaves the state unchanged. */
	ciphertext?: string;

	constructor(readonly element: Property) {}
}

/** Another resource, used as a value. `id` is undefined for components, `UNKNOWN` before creation. */
export class ResourceReference {
	constructor(
		readonly urn: string,
		readonly id: string | Unknown | undefined,
		readonly packageVersion: string,
	) {}
}

export type Property =
	| null
	| boolean
	| number
	| string
	| Unknown
	| Secret
	| ResourceReference
	| Property[]
	| { [key: string]: Property };

export type PropertyMap = { [key: string]: Property };

/** Whether a value is an object with keys (no array, secret or reference). */
export function isMap(value: Property | undefined): value is PropertyMap {
	return (
		typeof value === "object" &&
		value !== null &&
		!Array.isArray(value) &&
		!(value instanceof Secret) &&
		!(value instanceof ResourceReference)
	);
}

function some(value: Property, test: (value: Property) => boolean): boolean {
	if (test(value)) return true;
	if (value instanceof Secret) return some(value.element, test);
	if (value instanceof ResourceReference) return value.id === UNKNOWN && test(UNKNOWN);
	if (Array.isArray(value)) return value.some((element) => some(element, test));
	if (isMap(value)) return Object.values(value).some((element) => some(element, test));
	return false;
}

export function containsSecrets(value: Property): boolean {
	return some(value, (part) => part instanceof Secret);
}

export function containsUnknowns(value: Property): boolean {
	return some(value, (part) => part === UNKNOWN);
}

/** Structural equality; two secrets are equal when what they hide is. Unknown equals unknown. */
export function equal(a: Property | undefined, b: Property | undefined): boolean {
	if (a === b) return true;
	if (a === undefined || b === undefined) return false;
	if (a instanceof Secret || b instanceof Secret) {
		return a instanceof Secret && b instanceof Secret && equal(a.element, b.element);
	}
	if (a instanceof ResourceReference || b instanceof ResourceReference) {
		return (
			a instanceof ResourceReference && b instanceof ResourceReference && a.urn === b.urn && a.id === b.id
		);
	}
	if (Array.isArray(a) || Array.isArray(b)) {
		return (
			Array.isArray(a) &&
			Array.isArray(b) &&
			a.length === b.length &&
			a.every((element, index) => equal(element, b[index]))
		);
	}
	if (isMap(a) && isMap(b)) {
		const keys = Object.keys(a);
		return (
			keys.length === Object.keys(b).length &&
			keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
		);
	}
	return typeof a === "number" && typeof b === "number" && Number.isNaN(a) && Number.isNaN(b);
}

/** The value without its secret wrappers, at every depth. */
export function reveal(value: Property): Property {
	if (value instanceof Secret) return reveal(value.element);
	if (Array.isArray(value)) return value.map(reveal);
	if (isMap(value)) return mapValues(value, reveal);
	return value;
}

/** The value as a provider gets it: secrets unwrapped, a resource as its id (a component as its URN). */
export function toProvider(value: Property): Value {
	if (value instanceof Secret) return toProvider(value.element);
	if (value instanceof ResourceReference) return value.id ?? value.urn;
	if (Array.isArray(value)) return value.map(toProvider);
	if (isMap(value)) return propertiesForProvider(value);
	return value;
}

export function propertiesForProvider(map: PropertyMap): Properties {
	return mapValues(map, toProvider);
}

export function mapValues<In, Out>(
	map: { [key: string]: In },
	change: (value: In, key: string) => Out,
): { [key: string]: Out } {
	const result: { [key: string]: Out } = {};
	for (const [key, value] of Object.entries(map)) setKey(result, key, change(value, key));
	return result;
}

/** Sets a key even when its name is `__proto__`. */
export function setKey<T>(map: { [key: string]: T }, key: string, value: T): void {
	if (key === "__proto__") {
		Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
	} else {
		map[key] = value;
	}
}

/**
 * Makes secret what a provider gave back in the clear: each property whose namesake in `like` holds a secret. Objects
 * are compared key by key, so that one secret member does not hide its siblings; any other shape is wrapped whole.
 */
export function annotateSecrets(values: PropertyMap, like: PropertyMap | undefined): PropertyMap {
	if (like === undefined) return values;
	return mapValues(values, (value, key) => {
		const model = Object.hasOwn(like, key) ? like[key] : undefined;
		if (model === undefined) return value;
		if (isMap(value) && isMap(model)) return annotateSecrets(value, model);
		return !(value instanceof Secret) && containsSecrets(model) ? new Secret(value) : value;
	});
}

/** Makes the named properties secret where they are present. */
export function markSecret(values: PropertyMap, names: readonly string[]): PropertyMap {
	if (names.length === 0) return values;
	return mapValues(values, (value, key) =>
		names.includes(key) && !(value instanceof Secret) ? new Secret(value) : value,
	);
}

/** The same values, whose secrets are encrypted anew: what another stack encrypted only that one can decrypt. */
export function withoutCiphertexts(values: PropertyMap): PropertyMap {
	const anew = (value: Property): Property => {
		if (value instanceof Secret) return new Secret(anew(value.element));
		if (Array.isArray(value)) return value.map(anew);
		return isMap(value) ? mapValues(value, anew) : value;
	};
	return mapValues(values, anew);
}

/** Gives secrets that did not change the ciphertext they had, so that the state file does not change for them. */
export function keepCiphertexts(now: Property | undefined, before: Property | undefined): void {
	if (now === undefined || before === undefined || now === before) return;
	if (now instanceof Secret) {
		if (now.ciphertext === undefined && before instanceof Secret && equal(now.element, before.element)) {
			now.ciphertext = before.ciphertext;
		}
	} else if (Array.isArray(now)) {
		if (Array.isArray(before))
			for (const [index, element] of now.entries()) keepCiphertexts(element, before[index]);
	} else if (isMap(now) && isMap(before)) {
		for (const key of Object.keys(now))
			if (Object.hasOwn(before, key)) keepCiphertexts(now[key], before[key]);
	}
}
