/** A provider as the steps use it: secrets are unwrapped on the way in and put back on the way out. */
import { compareInputs, type Diff } from "./diff";
import {
	type CheckFailure,
	containsUnknown,
	type DiffResult,
	type Properties,
	type Provider,
	ResourceInitFailed,
	type Subject,
} from "./provider";
import type { ResourceState } from "./state";
import { nameOf, typeOf } from "./urn";
import { annotateSecrets, markSecret, type PropertyMap, propertiesForProvider } from "./values";

/** What an operation left behind. With `initErrors` it is there, but not as it should be. */
export interface Outcome {
	id: string;
	outputs: PropertyMap;
	inputs?: PropertyMap;
	initErrors: string[];
	/** The message that goes with `initErrors`. */
	message?: string;
}

/** What a function of a package gave back. */
export interface Invocation {
	result: PropertyMap;
	failures: CheckFailure[];
}

/** The comparison could not be made in a preview, because the provider itself is not known yet. */
export class DiffUnavailable extends Error {
	override readonly name = "DiffUnavailable";

	constructor() {
		super(
			"The provider for this resource has inputs that are not known during preview.\n" +
				"This preview may not correctly represent the changes that will be applied during an update.",
		);
	}
}

export function subjectOf(urn: string): Subject {
	return { urn, type: typeOf(urn), name: nameOf(urn) };
}

export class ManagedProvider {
	private configured = true;

	constructor(readonly provider: Provider) {}

	/** With inputs that are not known yet the provider stays unconfigured, which only happens in previews. */
	async configure(inputs: Properties): Promise<void> {
		this.configured = !containsUnknown(inputs);
		if (this.configured) await this.provider.configure(inputs);
	}

	private seal(values: PropertyMap, like: PropertyMap, type: string): PropertyMap {
		return markSecret(annotateSecrets(values, like), this.provider.secretProperties(type));
	}

	async check(
		urn: string,
		olds: PropertyMap | undefined,
		news: PropertyMap,
		randomSeed: Uint8Array,
	): Promise<{ inputs: PropertyMap; failures: CheckFailure[] }> {
		if (!this.configured) return { inputs: news, failures: [] };
		const result = await this.provider.check({
			...subjectOf(urn),
			olds: olds === undefined ? undefined : propertiesForProvider(olds),
			news: propertiesForProvider(news),
			randomSeed,
		});
		return { inputs: this.seal(result.inputs, news, typeOf(urn)), failures: result.failures ?? [] };
	}

	/** @throws DiffUnavailable */
	async diff(
		old: Pick<ResourceState, "urn" | "id" | "inputs" | "outputs">,
		news: PropertyMap,
		ignoreChanges: string[],
	): Promise<Diff> {
		if (!this.configured) throw new DiffUnavailable();
		const result = await this.provider.diff({
			...subjectOf(old.urn),
			id: old.id,
			olds: propertiesForProvider(old.outputs),
			oldInputs: propertiesForProvider(old.inputs),
			news: propertiesForProvider(news),
			ignoreChanges,
		});
		return fromResult(result, () => compareInputs(old.inputs, news));
	}

	async create(state: ResourceState, preview: boolean, interrupted: boolean): Promise<Outcome> {
		if (preview && !this.configured) return { id: "", outputs: {}, initErrors: [] };
		if (preview && !this.provider.supportsPreview) return { id: "", outputs: state.inputs, initErrors: [] };
		return this.outcome(state.inputs, state.type, async () => {
			const { id, properties } = await this.provider.create({
				...subjectOf(state.urn),
				inputs: propertiesForProvider(state.inputs),
				timeoutSeconds: state.customTimeouts.create ?? 0,
				preview,
				interrupted,
			});
			if (id === "" && !preview) throw new Error("the provider returned no id from create");
			return { id, properties };
		});
	}

	async update(old: ResourceState, state: ResourceState, preview: boolean): Promise<Outcome> {
		if (preview && !this.configured) return { id: old.id, outputs: {}, initErrors: [] };
		if (preview && !this.provider.supportsPreview)
			return { id: old.id, outputs: state.inputs, initErrors: [] };
		return this.outcome(state.inputs, state.type, async () => ({
			id: old.id,
			properties: await this.provider.update({
				...subjectOf(state.urn),
				id: old.id,
				olds: propertiesForProvider(old.outputs),
				oldInputs: propertiesForProvider(old.inputs),
				news: propertiesForProvider(state.inputs),
				ignoreChanges: state.ignoreChanges,
				timeoutSeconds: state.customTimeouts.update ?? 0,
				preview,
			}),
		}));
	}

	private async outcome(
		like: PropertyMap,
		type: string,
		run: () => Promise<{ id: string; properties: Properties }>,
	): Promise<Outcome> {
		try {
			const { id, properties } = await run();
			return { id, outputs: this.seal(properties, like, type), initErrors: [] };
		} catch (error) {
			if (!(error instanceof ResourceInitFailed)) throw error;
			const outputs = this.seal(error.properties, like, type);
			return { id: error.id, outputs, initErrors: initErrorsOf(error), message: messageOfInit(error) };
		}
	}

	/** What a resource is now; undefined when it is gone. */
	async read(
		urn: string,
		id: string,
		inputs: PropertyMap,
		outputs: PropertyMap,
		timeoutSeconds: number,
	): Promise<Outcome | undefined> {
		if (!this.configured) return { id, outputs: {}, inputs: {}, initErrors: [] };
		const request = {
			...subjectOf(urn),
			id,
			properties: propertiesForProvider(outputs),
			inputs: propertiesForProvider(inputs),
			timeoutSeconds,
		};
		const seal = (found: { id: string; properties: Properties; inputs?: Properties }): Outcome => ({
			id: found.id,
			outputs: this.seal(found.properties, outputs, typeOf(urn)),
			inputs: found.inputs === undefined ? undefined : this.seal(found.inputs, inputs, typeOf(urn)),
			initErrors: [],
		});
		try {
			const found = await this.provider.read(request);
			return found === undefined || found.id === "" ? undefined : seal(found);
		} catch (error) {
			if (!(error instanceof ResourceInitFailed)) throw error;
			return { ...seal(error), initErrors: initErrorsOf(error), message: messageOfInit(error) };
		}
	}

	/** Calls a function of the provider's package. */
	async invoke(token: string, args: PropertyMap, preview: boolean): Promise<Invocation> {
		const { result, failures } = await this.provider.invoke({
			token,
			args: propertiesForProvider(args),
			preview,
		});
		return { result, failures: failures ?? [] };
	}

	async delete(state: ResourceState): Promise<void> {
		await this.provider.delete({
			...subjectOf(state.urn),
			id: state.id,
			properties: propertiesForProvider(state.outputs),
			inputs: propertiesForProvider(state.inputs),
			timeoutSeconds: state.customTimeouts.delete ?? 0,
		});
	}
}

function initErrorsOf(error: ResourceInitFailed): string[] {
	return error.reasons.length > 0 ? error.reasons : [error.message];
}

function messageOfInit(error: ResourceInitFailed): string {
	const reasons = error.reasons
		.filter((reason) => reason !== error.message)
		.map((reason) => `\n    * ${reason}`);
	return `${error.message}${reasons.join("")}`;
}

/** Where the provider does not decide, `fallback` does. */
export function fromResult(result: DiffResult, fallback: () => Diff): Diff {
	if (result.changes === "unknown") {
		const own = fallback();
		return {
			...own,
			replaceKeys: result.replaces ?? [],
			deleteBeforeReplace: result.deleteBeforeReplace ?? false,
		};
	}
	return {
		changed: result.changes === "some",
		replaceKeys: result.replaces ?? [],
		changedKeys: result.diffs ?? [],
		detailed:
			result.detailed === undefined
				? undefined
				: new Map(Object.entries(result.detailed).map(([path, { kind }]) => [path, kind] as const)),
		deleteBeforeReplace: result.deleteBeforeReplace ?? false,
	};
}
