/** URNs, `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`, and provider references, `<urn>::<id>`. */

export const ROOT_STACK_TYPE = "pulumi:pulumi:Stack";
const PROVIDER_PREFIX = "pulumi:providers:";

export function makeUrn(stack: string, project: string, parent: string, type: string, name: string): string {
	const parentType = parent === "" ? "" : qualifiedType(parent);
	const types = parentType === "" || parentType === ROOT_STACK_TYPE ? type : `${parentType}$${type}`;
	return `urn:pulumi:${stack}::${project}::${types}::${name}`;
}

/** The types from the outermost parent to the resource itself, joined by `$`. */
export function qualifiedType(urn: string): string {
	return urn.split("::")[2] ?? "";
}

export function typeOf(urn: string): string {
	return qualifiedType(urn).split("$").at(-1) ?? "";
}

/** Names may contain `::` themselves. */
export function nameOf(urn: string): string {
	return urn.split("::").slice(3).join("::");
}

export function isProviderType(type: string): boolean {
	return type.startsWith(PROVIDER_PREFIX);
}

export function providerType(pkg: string): string {
	return PROVIDER_PREFIX + pkg;
}

/** The package whose provider serves a type token; for a provider's own type, the package it is for. */
export function packageOf(type: string): string {
	return isProviderType(type) ? type.slice(PROVIDER_PREFIX.length) : (type.split(":")[0] ?? "");
}

export function providerUrn(reference: string): string {
	return reference.slice(0, reference.lastIndexOf("::"));
}

export function providerId(reference: string): string {
	return reference.slice(reference.lastIndexOf("::") + 2);
}

export function providerReference(urn: string, id: string): string {
	return `${urn}::${id === "" ? UNKNOWN_ID : id}`;
}

/** The id of a provider in a preview, before it exists. */
export const UNKNOWN_ID = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A default provider made by the engine, which the operator does not see. */
export function isDefaultProvider(urn: string): boolean {
	return isProviderType(typeOf(urn)) && /^default(_|$)/.test(nameOf(urn));
}
