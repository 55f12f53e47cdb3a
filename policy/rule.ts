import type {
	EnforcementLevel,
	PolicyResource,
	ResourceValidationPolicy,
	StackValidationPolicy,
} from "@pulumi/policy";
import { rawValue } from "./known";
import type { Stack } from "./stack";

interface Rule {
	/** Lower case with hyphens; what `--policy-pack-config` calls it. */
	name: string;
	/** What has to be, in one sentence. */
	description: string;
}

/** A resource's inputs, as its provider has checked them. Reading one that a preview does not know yet ends the rule. */
export interface Looked<Props> {
	type: string;
	props: Partial<Props>;
	/** The inputs of the provider that the resource is made with. */
	provider?: Readonly<Record<string, unknown>>;
}

/** What has to be true of each resource by itself. An update asks before it touches the resource. */
export interface ResourceRule<Props> extends Rule {
	/** Whether the rule is about resources of a type. */
	isAbout(type: string): boolean;
	/** What is wrong, each with its mend, without any secret. */
	faults(resource: Looked<Props>, stack: Stack): string[];
}

/** What has to be true of resources together. A preview asks at its end, and so does an update. */
export interface StackRule extends Rule {
	faults(resources: readonly PolicyResource[], stack: Stack): { resource: PolicyResource; fault: string }[];
}

/** Gives CrossGuard a rule. */
export function resourcePolicy<Props>(
	{ name, description, isAbout, faults }: ResourceRule<Props>,
	stack: Stack,
	enforcementLevel: EnforcementLevel,
): ResourceValidationPolicy {
	return {
		name,
		description,
		enforcementLevel,
		validateResource({ type, props, provider }, report) {
			if (!isAbout(type)) {
				return;
			}
			const looked = { type, props: props as Partial<Props>, ...(provider && { provider: provider.props }) };
			for (const fault of faults(looked, stack)) {
				report(fault);
			}
		},
	};
}

/** Gives CrossGuard a rule. */
export function stackPolicy(
	{ name, description, faults }: StackRule,
	stack: Stack,
	enforcementLevel: EnforcementLevel,
): StackValidationPolicy {
	return {
		name,
		description,
		enforcementLevel,
		validateStack({ resources }, report) {
			for (const { resource, fault } of faults(resources, stack)) {
				report(fault, resource.urn);
			}
		},
	};
}

/** For rules about some types by name. */
export function oneOf(...types: string[]): (type: string) => boolean {
	return (type) => types.includes(type);
}

/** Whether an input has a value, be it one that only the update will know. */
export function isSet(props: object, key: string): boolean {
	const value = rawValue(props, key);
	return value !== undefined && value !== null && value !== "";
}
