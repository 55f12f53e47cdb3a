/** Decides what is to be done for each resource that the program registers or reads. */
import { randomBytes } from "node:crypto";
import { formerUrns } from "./aliases";
import { deleteDependents, deletionForReplacement } from "./dependentReplacements";
import {
	applyReplaceOnChanges,
	compareInputs,
	type Diff,
	isReplacement,
	NO_DIFF,
	replaceBecauseOf,
} from "./diff";
import { Bail, EngineError } from "./errors";
import type { Alias, Goal, ReadGoal } from "./goal";
import { failureText, ignoreChanges } from "./inputs";
import { DiffUnavailable, type ManagedProvider } from "./managedProvider";
import { newState, readState } from "./newState";
import type { Plan } from "./plan";
import type { ResourceState } from "./state";
import type { Step } from "./steps";
import { isProviderType, makeUrn, providerUrn } from "./urn";
import type { PropertyMap } from "./values";

export type Answer = (state: ResourceState) => void;

/** Everything that planning one resource needs at hand. */
interface Subject {
	urn: string;
	goal: Goal;
	old: ResourceState | undefined;
	state: ResourceState;
	seed: Uint8Array;
	answer: Answer;
}

export class Planner {
	constructor(private readonly plan: Plan) {}

	/**
	 * The steps for a registration, to be run in order.
	 * @throws Bail when the resource cannot be right; the reason has been shown.
	 */
	async register(goal: Goal, answer: Answer): Promise<Step[]> {
		const { plan } = this;
		const urn = this.claimUrn(goal.parent, goal.type, goal.name);
		const { old, alias } = this.findOld(urn, goal.name, goal.type, goal.parent, goal.aliases);
		const state = newState(urn, goal, old, alias);
		if (isProviderType(goal.type)) {
			plan.providerStates.set(urn, state);
			if (alias !== undefined) plan.providerStates.set(alias, state);
		}
		const subject: Subject = { urn, goal, old, state, seed: randomBytes(32), answer };
		const recreating = plan.deletes.has(urn);
		await this.checkInputs(subject, recreating);
		if (recreating && old !== undefined) return this.recreate(subject, old);
		if (old?.external === true) {
			plan.creates.add(urn);
			return [
				{ ...base(subject), op: "create-replacement", old, deleteOldLater: true, answer },
				{ ...base(subject), op: "replace", old },
			];
		}
		if (old === undefined) {
			plan.creates.add(urn);
			return [{ ...base(subject), op: "create", answer }];
		}
		return this.change(subject, old);
	}

	/** The steps for a resource that the program only reads. */
	read(goal: ReadGoal, answer: Answer): Step[] {
		const { plan } = this;
		const urn = this.claimUrn(goal.parent, goal.type, goal.name);
		const { old, alias } = this.findOld(urn, goal.name, goal.type, goal.parent, []);
		if (goal.id === "") throw new EngineError(`Expected an ID for ${urn}`);
		const state = readState(urn, goal, alias);
		const common = { urn, type: goal.type, new: state, old };
		if (old !== undefined && !old.external && old.id !== goal.id) {
			plan.replaces.add(urn);
			return [
				{ ...common, op: "read-replacement", answer },
				{ ...common, op: "replace" },
			];
		}
		plan.reads.add(urn);
		return [{ ...common, op: "read", answer }];
	}

	private claimUrn(parent: string, type: string, name: string): string {
		const { plan } = this;
		if (parent !== "" && !plan.registered.has(parent)) {
			throw new EngineError(`could not find parent resource ${parent}`);
		}
		const urn = makeUrn(plan.stack, plan.project, parent, type, name);
		if (plan.registered.has(urn)) {
			plan.diagnostics.error(urn, `Duplicate resource URN '${urn}'; try giving it a unique name`);
			throw new Bail();
		}
		plan.registered.add(urn);
		return urn;
	}

	private findOld(
		urn: string,
		name: string,
		type: string,
		parent: string,
		aliases: Alias[],
	): { old?: ResourceState; alias?: string } {
		const { plan } = this;
		const claimed = (by: string): never => {
			const message = `Duplicate resource alias '${by}' applied to resource with URN '${urn}'; it is claimed already`;
			plan.diagnostics.error(urn, message);
			throw new Bail();
		};
		if (plan.aliased.has(urn)) claimed(urn);
		const exact = plan.olds.get(urn);
		if (exact !== undefined) return { old: exact };
		const naming = {
			stack: plan.stack,
			project: plan.project,
			aliasOf: (known: string) => plan.aliases.get(known),
		};
		for (const former of formerUrns(name, type, parent, aliases, naming)) {
			const old = plan.olds.get(former);
			if (old === undefined) continue;
			if (plan.registered.has(former) || plan.aliased.has(former)) claimed(former);
			plan.aliased.set(former, urn);
			plan.aliases.set(urn, former);
			plan.providers.addAlias(urn, former);
			return { old, alias: former };
		}
		return {};
	}

	private async providerOf({ goal, urn }: Subject): Promise<ManagedProvider> {
		const provider = this.plan.providers.get(goal.provider);
		if (provider !== undefined) return provider;
		const old = this.plan.olds.get(providerUrn(goal.provider));
		if (old === undefined) throw new EngineError(`unknown provider '${goal.provider}' for resource '${urn}'`);
		return this.plan.providers.ensure(goal.provider);
	}

	private async runCheck(
		subject: Subject,
		olds: PropertyMap | undefined,
		news: PropertyMap,
	): Promise<PropertyMap> {
		const { urn, goal, seed } = subject;
		const { inputs, failures } = isProviderType(goal.type)
			? await this.plan.providers.check(urn, olds, news)
			: await (await this.providerOf(subject)).check(urn, olds, news, seed);
		if (failures.length > 0) {
			for (const failure of failures)
				this.plan.diagnostics.error(urn, failureText(urn, goal, failure, inputs));
			throw new Bail();
		}
		return inputs;
	}

	private async checkInputs(subject: Subject, recreating: boolean): Promise<void> {
		const { goal, old, state } = subject;
		if (old !== undefined) state.inputs = this.ignoreChanges(subject, old);
		if (!goal.custom) return;
		state.inputs =
			recreating || old === undefined || old.external
				? await this.runCheck(subject, undefined, goal.properties)
				: await this.runCheck(subject, old.inputs, state.inputs);
	}

	private ignoreChanges({ urn, goal }: Subject, old: ResourceState): PropertyMap {
		const { inputs, invalid } = ignoreChanges(goal.properties, old.inputs, goal.ignoreChanges);
		if (invalid.length > 0) {
			const paths = JSON.stringify(invalid.join(", "));
			this.plan.diagnostics.info(
				urn,
				`cannot ignore changes in added or removed elements of the path: ${paths}`,
			);
		}
		return inputs;
	}

	/** The resource was deleted already, for the sake of a dependency; here is its replacement. */
	private recreate(subject: Subject, old: ResourceState): Step[] {
		const { plan } = this;
		const { urn } = subject;
		plan.deletes.delete(urn);
		plan.replaces.add(urn);
		const diff: Diff = { ...NO_DIFF, changed: true, replaceKeys: plan.dependentReplaceKeys.get(urn) ?? [] };
		return [
			{ ...base(subject), op: "replace", old, diff },
			{ ...base(subject), op: "create-replacement", old, diff, answer: subject.answer },
		];
	}

	/** The resource is in the state: same, update or replace. */
	private async change(subject: Subject, old: ResourceState): Promise<Step[]> {
		const { plan } = this;
		const { urn, goal, answer } = subject;
		const broken = old.initErrors.length > 0;
		const diff = applyReplaceOnChanges(await this.diff(subject, old), goal.replaceOnChanges, broken);
		if ((diff.changed && isReplacement(diff)) || old.pendingReplacement)
			return this.replace(subject, old, diff);
		if (diff.changed || broken) {
			plan.updates.add(urn);
			return [{ ...base(subject), op: "update", old, diff, answer }];
		}
		plan.sames.add(urn);
		return [{ ...base(subject), op: "same", old, answer }];
	}

	private async diff(subject: Subject, old: ResourceState): Promise<Diff> {
		const { plan } = this;
		const { urn, goal, state } = subject;
		if (old.extra.taint === true) return replaceBecauseOf("id");
		if (goal.deletedWith !== "" && plan.replaces.has(goal.deletedWith))
			return replaceBecauseOf("deletedWith");
		if (await this.providerChanged(old, state)) return replaceBecauseOf("provider");
		if (!goal.custom) return compareInputs(old.inputs, state.inputs);
		try {
			if (isProviderType(goal.type)) return await plan.providers.diff({ ...old, urn }, state.inputs);
			const provider = await this.providerOf(subject);
			return await provider.diff({ ...old, urn }, state.inputs, goal.ignoreChanges);
		} catch (error) {
			if (!(error instanceof DiffUnavailable)) throw error;
			plan.diagnostics.warning(urn, error.message);
			return { ...NO_DIFF, changed: true };
		}
	}

	private async providerChanged(old: ResourceState, state: ResourceState): Promise<boolean> {
		if (old.provider === state.provider) return false;
		if (old.provider === "" || state.provider === "") return true;
		const now = providerUrn(state.provider);
		if (this.plan.aliased.get(providerUrn(old.provider)) === now) return false;
		return this.plan.providers.changeReplaces(
			old.provider,
			this.plan.providerStates.get(now),
			state.provider,
		);
	}

	private async replace(subject: Subject, old: ResourceState, diff: Diff): Promise<Step[]> {
		const { plan } = this;
		const { urn, goal, state, answer } = subject;
		if (state.protect && old.protect) {
			plan.diagnostics.error(
				urn,
				`unable to replace resource "${urn}"\nas it is currently marked for protection. To unprotect the resource, ` +
					"remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`",
			);
			plan.failed = true;
			if (!plan.preview) throw new Bail();
		}
		plan.replaces.add(urn);
		if (goal.custom) state.inputs = await this.runCheck(subject, undefined, goal.properties);
		const replaceStep: Step = { ...base(subject), op: "replace", old, diff };
		const createStep: Step = { ...base(subject), op: "create-replacement", old, diff, answer };
		if (!(goal.deleteBeforeReplace ?? diff.deleteBeforeReplace)) {
			return [{ ...createStep, deleteOldLater: true }, replaceStep];
		}
		const deletions = await deleteDependents(plan, urn, old);
		if (old.provider !== "") await plan.providers.ensure(old.provider);
		if (!old.pendingReplacement) {
			plan.deletes.add(old.urn);
			deletions.push(deletionForReplacement(old, true));
		}
		return [...deletions, replaceStep, createStep];
	}
}

function base({ urn, goal, state }: Subject): { urn: string; type: string; new: ResourceState } {
	return { urn, type: goal.type, new: state };
}
