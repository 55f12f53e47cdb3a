/** What the program wants of a resource. */
import type { CustomTimeouts, StackFrame } from "./state";
import type { PropertyMap } from "./values";

/** What a resource was called before: a whole URN, or the parts that differ. */
export interface Alias {
	urn?: string;
	name?: string;
	type?: string;
	stack?: string;
	project?: string;
	/** The URN of the former parent. */
	parent?: string;
	/** It had no parent but the stack. */
	noParent?: boolean;
}

export interface Goal {
	type: string;
	name: string;
	custom: boolean;
	properties: PropertyMap;
	parent: string;
	protect: boolean | undefined;
	dependencies: string[];
	/** `<urn>::<id>`; empty for components and provider resources. */
	provider: string;
	propertyDependencies: { [property: string]: string[] };
	/** Overrides what the provider's diff says. */
	deleteBeforeReplace: boolean | undefined;
	ignoreChanges: string[];
	additionalSecretOutputs: string[];
	aliases: Alias[];
	customTimeouts: CustomTimeouts;
	replaceOnChanges: string[];
	retainOnDelete: boolean | undefined;
	deletedWith: string;
	sourcePosition: string;
	stackTrace: StackFrame[];
}

/** A resource that the program reads and does not manage. */
export interface ReadGoal {
	id: string;
	type: string;
	name: string;
	parent: string;
	provider: string;
	properties: PropertyMap;
	dependencies: string[];
	additionalSecretOutputs: string[];
	sourcePosition: string;
	stackTrace: StackFrame[];
}
