/** What is known while an update is planned. */
import { DependencyGraph } from "./graph";
import type { ProviderRegistry } from "./providerRegistry";
import type { ResourceState } from "./state";

export interface Diagnostics {
	error(urn: string, message: string): void;
	warning(urn: string, message: string): void;
	info(urn: string, message: string): void;
}

/** The bookkeeping that planning and deleting share; URNs unless said otherwise. */
export class Plan {
	/** The state before the update, in dependency order. */
	resources: ResourceState[];
	/** By URN, without those that are only waiting to be deleted. */
	olds: Map<string, ResourceState>;
	graph: DependencyGraph;

	readonly registered = new Set<string>();
	readonly reads = new Set<string>();
	readonly creates = new Set<string>();
	readonly sames = new Set<string>();
	readonly updates = new Set<string>();
	readonly replaces = new Set<string>();
	readonly deletes = new Set<string>();
	/** States that have a deletion step already. */
	readonly pendingDeletes = new Set<ResourceState>();
	/** Provider resources of this update. */
	readonly providerStates = new Map<string, ResourceState>();
	/** Why a resource that was deleted for its dependency's sake has to be replaced. */
	readonly dependentReplaceKeys = new Map<string, string[]>();
	/** Old URN to new URN. */
	readonly aliased = new Map<string, string>();
	/** New URN to old URN. */
	readonly aliases = new Map<string, string>();
	/** Set when something was wrong that a preview goes on after. */
	failed = false;

	constructor(
		readonly stack: string,
		readonly project: string,
		readonly preview: boolean,
		readonly providers: ProviderRegistry,
		readonly diagnostics: Diagnostics,
		resources: ResourceState[],
	) {
		this.resources = resources;
		this.olds = oldsOf(resources);
		this.graph = new DependencyGraph(resources);
	}

	/** Starts from other resources, after a refresh. */
	rebase(resources: ResourceState[]): void {
		this.resources = resources;
		this.olds = oldsOf(resources);
		this.graph = new DependencyGraph(resources);
	}

	/** Whether this update has dealt with a resource of the state, under this URN or its new one. */
	isHandled(urn: string): boolean {
		const now = this.aliased.get(urn) ?? urn;
		return [this.sames, this.updates, this.replaces, this.reads].some((set) => set.has(now));
	}
}

function oldsOf(resources: ResourceState[]): Map<string, ResourceState> {
	return new Map(resources.filter((state) => !state.delete).map((state) => [state.urn, state]));
}
