/** Who depends on whom, by the dependencies that a state records. */
import type { ResourceState } from "./state";
import { providerUrn } from "./urn";

/** Every URN that a resource depends on, except its parent. */
export function dependenciesOf(state: ResourceState): Set<string> {
	const urns = new Set(state.dependencies);
	for (const list of Object.values(state.propertyDependencies)) for (const urn of list) urns.add(urn);
	if (state.deletedWith !== "") urns.add(state.deletedWith);
	if (state.provider !== "") urns.add(providerUrn(state.provider));
	return urns;
}

/** A list of resources in dependency order, as a state file has them; the same URN may appear more than once. */
export class DependencyGraph {
	private readonly index = new Map<ResourceState, number>();
	private readonly descendants = new Map<string, number[]>();

	constructor(private readonly resources: ResourceState[]) {
		const parents = new Map<string, string>();
		resources.forEach((state, position) => {
			this.index.set(state, position);
			parents.set(state.urn, state.parent);
			const seen = new Set<string>();
			for (
				let parent = state.parent;
				parent !== "" && !seen.has(parent);
				parent = parents.get(parent) ?? ""
			) {
				seen.add(parent);
				const list = this.descendants.get(parent);
				if (list === undefined) this.descendants.set(parent, [position]);
				else list.push(position);
			}
		});
	}

	contains(state: ResourceState): boolean {
		return this.index.has(state);
	}

	/** All that depends on a resource, directly or not, in dependency order. URNs in `ignore` are left out. */
	dependingOn(root: ResourceState, ignore: ReadonlySet<string>): ResourceState[] {
		const dependents: ResourceState[] = [];
		const urns = new Set([root.urn]);
		for (const candidate of this.resources.slice((this.index.get(root) ?? this.resources.length) + 1)) {
			if (ignore.has(candidate.urn)) continue;
			if (![...dependenciesOf(candidate)].some((urn) => urns.has(urn))) continue;
			dependents.push(candidate);
			urns.add(candidate.urn);
		}
		return dependents;
	}

	/** What a resource needs: its dependencies, their children where they are components, and its parent. */
	directDependencies(state: ResourceState): Set<ResourceState> {
		const found = new Set<ResourceState>();
		const urns = dependenciesOf(state);
		const position = this.index.get(state) ?? 0;
		for (let at = position - 1; at >= 0; at--) {
			const candidate = this.resources[at]!;
			if (candidate.urn === state.parent) found.add(candidate);
			if (!urns.has(candidate.urn)) continue;
			found.add(candidate);
			if (candidate.custom) continue;
			for (const child of this.descendants.get(candidate.urn) ?? []) {
				if (child < position) found.add(this.resources[child]!);
			}
		}
		return found;
	}

	/** Everything that a resource needs, directly or not. */
	neededBy(state: ResourceState): Set<ResourceState> {
		const found = new Set<ResourceState>();
		const open = [state];
		for (let next = open.pop(); next !== undefined; next = open.pop()) {
			for (const needed of this.directDependencies(next)) {
				if (found.has(needed)) continue;
				found.add(needed);
				open.push(needed);
			}
		}
		return found;
	}

	/**
	 * Orders deletions: each round can be deleted at once, and nothing in it is needed by what later rounds delete.
	 */
	deletionRounds(condemned: Iterable<ResourceState>): ResourceState[][] {
		const left = new Set(condemned);
		const rounds: ResourceState[][] = [];
		while (left.size > 0) {
			const free = [...left].filter((state) => {
				for (const needed of this.directDependencies(state)) if (left.has(needed)) return false;
				return true;
			});
			for (const state of free) left.delete(state);
			rounds.push(free);
		}
		return rounds.reverse();
	}
}
