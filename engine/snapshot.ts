/** Keeps the state file in step with the update: written before each operation starts and after it ends. */
import type { Snapshot } from "./checkpoint";
import { Bail, EngineError } from "./errors";
import type { OperationType, PendingOperation, ResourceState } from "./state";
import {
	makeUrn,
	nameOf,
	providerId,
	providerReference,
	providerUrn,
	qualifiedType,
	ROOT_STACK_TYPE,
	typeOf,
} from "./urn";
import { mapValues } from "./values";

/** Writes a whole snapshot durably; throws when it cannot. */
export type SaveSnapshot = (snapshot: Snapshot) => void;

export class SnapshotManager {
	private readonly done = new Set<ResourceState>();
	private readonly fresh: ResourceState[] = [];
	private readonly running = new Map<ResourceState, PendingOperation>();
	private dirty = true;
	/** The state could not be written; that was told when it happened. */
	broken = false;

	/** @param base what the state file held before the update; refreshing replaces its resources. */
	constructor(
		private readonly base: Snapshot,
		private readonly save: SaveSnapshot,
	) {}

	/** Records that an operation is about to start. */
	begin(state: ResourceState, type: OperationType): void {
		this.running.set(state, { resource: state, type });
		this.write();
	}

	/** Records how an operation ended: which old state is gone, which new one is there. */
	end(operation: ResourceState | undefined, outcome: { gone?: ResourceState; made?: ResourceState }): void {
		if (operation !== undefined) this.finish(operation, outcome.made !== undefined);
		this.note(outcome);
		this.write();
	}

	/** What an earlier update was stopped in is settled once the same operation has succeeded. */
	private finish(operation: ResourceState, succeeded: boolean): void {
		this.running.delete(operation);
		if (!succeeded) return;
		this.base.operations = this.base.operations.filter(({ resource }) => resource.urn !== operation.urn);
	}

	/** As `end`, for steps that change nothing that could be lost: written with the next write. */
	note(outcome: { gone?: ResourceState; made?: ResourceState }): void {
		if (outcome.gone !== undefined) this.done.add(outcome.gone);
		if (outcome.made !== undefined) this.fresh.push(outcome.made);
		this.dirty = true;
	}

	/** Replaces what the update started from, after a refresh. */
	rebase(resources: ResourceState[]): void {
		this.base.resources = resources;
		this.write();
	}

	/** Forgets creations that earlier updates left unfinished. */
	clearPendingCreates(): void {
		this.base.operations = [];
		this.dirty = true;
	}

	/** Writes what is not written yet. */
	flush(): void {
		if (this.dirty && !this.broken) this.write();
	}

	/** The state as it is now: what was done first, then what was not touched. */
	current(): Snapshot {
		const resources = [...this.fresh, ...this.base.resources].filter((state) => !this.done.has(state));
		const unfinished = this.base.operations.filter(({ type }) => type === "creating");
		return normalize({ resources, operations: [...this.running.values(), ...unfinished] });
	}

	private write(): void {
		if (this.broken) throw new Bail();
		try {
			this.save(this.current());
		} catch (error) {
			this.broken = true;
			throw error;
		}
		this.dirty = false;
	}
}

/**
 * Follows renames: where a resource was registered under an alias, whatever still names the old URN names the new.
 * @throws EngineError when two resources claim one alias.
 */
function normalize(snapshot: Snapshot): Snapshot {
	if (!snapshot.resources.some((state) => state.aliases.length > 0)) return snapshot;
	const renamed = new Map<string, string>();
	for (const state of snapshot.resources) {
		for (const alias of state.aliases) {
			const other = renamed.get(alias);
			if (other !== undefined && other !== state.urn) {
				throw new EngineError(
					`Two resources ('${other}' and '${state.urn}') aliased to the same: '${alias}'`,
				);
			}
			renamed.set(alias, state.urn);
		}
		const parent = renamed.get(state.parent);
		if (parent !== undefined && qualifiedType(parent) !== ROOT_STACK_TYPE) {
			const [, , stack = ""] = (state.urn.split("::")[0] ?? "").split(":");
			const project = state.urn.split("::")[1] ?? "";
			renamed.set(state.urn, makeUrn(stack, project, parent, typeOf(state.urn), nameOf(state.urn)));
		}
	}
	const fix = (urn: string): string => renamed.get(urn) ?? urn;
	return {
		operations: snapshot.operations,
		resources: snapshot.resources.map((state) => ({
			...state,
			urn: fix(state.urn),
			parent: fix(state.parent),
			dependencies: state.dependencies.map(fix),
			propertyDependencies: mapValues(state.propertyDependencies, (urns) => urns.map(fix)),
			deletedWith: fix(state.deletedWith),
			provider:
				state.provider === ""
					? ""
					: providerReference(fix(providerUrn(state.provider)), providerId(state.provider)),
			aliases: [],
		})),
	};
}
