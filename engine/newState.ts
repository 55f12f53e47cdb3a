/** States as the program's goals begin them. */
import type { Goal, ReadGoal } from "./goal";
import type { ResourceState } from "./state";

function emptyState(urn: string, type: string): ResourceState {
	return {
		urn,
		type,
		custom: false,
		delete: false,
		id: "",
		inputs: {},
		outputs: {},
		parent: "",
		protect: false,
		external: false,
		dependencies: [],
		initErrors: [],
		provider: "",
		propertyDependencies: {},
		pendingReplacement: false,
		additionalSecretOutputs: [],
		aliases: [],
		customTimeouts: {},
		importID: "",
		retainOnDelete: false,
		deletedWith: "",
		sourcePosition: "",
		stackTrace: [],
		ignoreChanges: [],
		replaceOnChanges: [],
		extra: {},
	};
}

/** The state that a registration will make, as far as the goal tells it. */
export function newState(
	urn: string,
	goal: Goal,
	old: ResourceState | undefined,
	alias: string | undefined,
): ResourceState {
	return {
		...emptyState(urn, goal.type),
		custom: goal.custom,
		inputs: goal.properties,
		parent: goal.parent,
		protect: goal.protect ?? false,
		dependencies: goal.dependencies,
		provider: goal.provider,
		propertyDependencies: goal.propertyDependencies,
		additionalSecretOutputs: goal.additionalSecretOutputs,
		aliases: alias === undefined ? [] : [alias],
		customTimeouts: goal.customTimeouts,
		retainOnDelete: goal.retainOnDelete ?? false,
		deletedWith: goal.deletedWith,
		created: old?.created,
		modified: old?.modified,
		sourcePosition: goal.sourcePosition,
		stackTrace: goal.stackTrace,
		ignoreChanges: goal.ignoreChanges,
		replaceOnChanges: goal.replaceOnChanges,
	};
}

/** The state of a resource that the program only reads. */
export function readState(urn: string, goal: ReadGoal, alias: string | undefined): ResourceState {
	return {
		...emptyState(urn, goal.type),
		custom: true,
		external: true,
		id: goal.id,
		inputs: goal.properties,
		parent: goal.parent,
		provider: goal.provider,
		dependencies: goal.dependencies,
		additionalSecretOutputs: goal.additionalSecretOutputs,
		aliases: alias === undefined ? [] : [alias],
		sourcePosition: goal.sourcePosition,
		stackTrace: goal.stackTrace,
	};
}
