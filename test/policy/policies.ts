import assert from "node:assert/strict";
import type { PolicyResource, ResourceValidationArgs } from "@pulumi/policy";
import { policiesFor } from "../../policy/policies";
import type { Stack } from "../../policy/stack";

export const PRODUCTION: Stack = {
	project: "camera-counting",
	environment: "production",
	approvedMigrations: [],
};
export const STAGING: Stack = { ...PRODUCTION, environment: "staging" };

/** A resource as its program declares it. */
export interface Declared {
	type: string;
	props: Record<string, unknown>;
	/** Inputs of its provider. */
	provider?: Record<string, unknown>;
}

const opts: PolicyResource["opts"] = {
	protect: false,
	ignoreChanges: [],
	aliases: [],
	customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
	additionalSecretOutputs: [],
};

export function urnOf(type: string, name: string): string {
	return `urn:pulumi:production::camera-counting::${type}::${name}`;
}

/** What a policy reports of one resource, as CrossGuard asks it. */
export async function reported(policy: string, { type, props, provider }: Declared, stack = PRODUCTION) {
	const found = policiesFor(stack).find(({ name }) => name === policy);
	assert.ok(found && "validateResource" in found && typeof found.validateResource === "function");
	const messages: string[] = [];
	const args: ResourceValidationArgs = {
		type,
		props,
		urn: urnOf(type, "tried"),
		name: "tried",
		opts,
		...(provider && {
			provider: {
				type: "pulumi:providers:aws",
				name: "aws",
				urn: urnOf("pulumi:providers:aws", "aws"),
				props: provider,
			},
		}),
		stackTags: new Map(),
		isType: () => false,
		asType: () => undefined,
		getConfig: <T>() => ({}) as T,
		notApplicable: () => assert.fail("no policy says that it is not applicable"),
	};
	await found.validateResource(args, (message) => messages.push(message));
	return messages;
}

/** A resource of a whole stack. */
export function resource(
	type: string,
	name: string,
	props: Record<string, unknown> = {},
	related: Partial<Pick<PolicyResource, "parent" | "dependencies" | "propertyDependencies">> = {},
): PolicyResource {
	return {
		type,
		name,
		props,
		urn: urnOf(type, name),
		opts,
		dependencies: [],
		propertyDependencies: {},
		isType: () => false,
		asType: () => undefined,
		...related,
	};
}

/** What a policy reports of a whole stack, each with the name of the resource that it is about. */
export async function reportedOfStack(policy: string, resources: PolicyResource[], stack = PRODUCTION) {
	const found = policiesFor(stack).find(({ name }) => name === policy);
	assert.ok(found && "validateStack" in found);
	const messages: string[] = [];
	await found.validateStack(
		{
			resources,
			stackTags: new Map(),
			getConfig: <T>() => ({}) as T,
			notApplicable: () => assert.fail("no policy says that it is not applicable"),
		},
		(message, urn) => messages.push(`${urn?.split("::").at(-1)}: ${message}`),
	);
	return messages;
}
