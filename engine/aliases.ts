/** The URNs that a resource may have had before. */
import type { Alias } from "./goal";
import { makeUrn, nameOf, qualifiedType, ROOT_STACK_TYPE, typeOf } from "./urn";

export interface Naming {
	stack: string;
	project: string;
	/** The old URN of each resource that was found under one of its aliases in this update. */
	aliasOf(urn: string): string | undefined;
}

/** All former URNs of a resource: its own aliases, and those it has because its parents were renamed. */
export function formerUrns(
	name: string,
	type: string,
	parent: string,
	aliases: Alias[],
	naming: Naming,
): string[] {
	const found = new Set<string>();
	const own = aliases.map((alias) => collapse(name, type, parent, alias, naming));
	for (const urn of own) found.add(urn);
	const formerParent = parent === "" ? undefined : naming.aliasOf(parent);
	if (formerParent !== undefined) {
		found.add(inherited(type, name, parent, formerParent, naming));
		for (const urn of own) found.add(inherited(typeOf(urn), nameOf(urn), parent, formerParent, naming));
	}
	return [...found];
}

function collapse(name: string, type: string, parent: string, alias: Alias, naming: Naming): string {
	if (alias.urn !== undefined && alias.urn !== "") return alias.urn;
	let formerParent = parent;
	if (alias.parent !== undefined && alias.parent !== "")
		formerParent = naming.aliasOf(alias.parent) ?? alias.parent;
	if (alias.noParent === true || qualifiedType(formerParent) === ROOT_STACK_TYPE) formerParent = "";
	return makeUrn(
		alias.stack || naming.stack,
		alias.project || naming.project,
		formerParent,
		alias.type || type,
		alias.name || name,
	);
}

/** Children are often named after their parent: `app-database` under `app`. */
function inherited(type: string, name: string, parent: string, formerParent: string, naming: Naming): string {
	const parentName = nameOf(parent);
	const formerName = name.startsWith(parentName)
		? nameOf(formerParent) + name.slice(parentName.length)
		: name;
	return makeUrn(naming.stack, naming.project, formerParent, type, formerName);
}
