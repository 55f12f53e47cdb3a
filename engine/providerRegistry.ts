/** The provider resources of a stack, and the providers that they configure. */
import { randomUUID } from "node:crypto";
import { type Diff, isReplacement, NO_DIFF } from "./diff";
import { EngineError } from "./errors";
import { fromResult, type ManagedProvider, type Outcome, subjectOf } from "./managedProvider";
import type { CheckFailure, Properties, Provider } from "./provider";
import type { ResourceState } from "./state";
import { packageOf, providerId, providerReference, providerUrn, typeOf, UNKNOWN_ID } from "./urn";
import { annotateSecrets, equal, markSecret, type PropertyMap, propertiesForProvider } from "./values";

/** Makes the provider of a package. */
export type OpenProvider = (pkg: string) => Promise<ManagedProvider>;

const INTERNAL_KEY = "__internal";
const UNCONFIGURED = "unconfigured";

/** What a provider gets to see of its resource's inputs. */
export function providerConfig(inputs: PropertyMap): PropertyMap {
	return Object.fromEntries(Object.entries(inputs).filter(([key]) => key !== INTERNAL_KEY));
}

export class ProviderRegistry {
	private readonly providers = new Map<string, ManagedProvider>();
	private readonly opened = new Set<ManagedProvider>();
	private readonly aliases = new Map<string, string>();

	/**
	 * @param find looks a provider resource up in the state by URN and id.
	 */
	constructor(
		private readonly openProvider: OpenProvider,
		private readonly find: (urn: string, id: string) => ResourceState | undefined,
	) {}

	private async open(pkg: string): Promise<ManagedProvider> {
		const provider = await this.openProvider(pkg);
		this.opened.add(provider);
		return provider;
	}

	get(reference: string): ManagedProvider | undefined {
		return this.providers.get(reference);
	}

	private set(urn: string, id: string, provider: ManagedProvider): void {
		this.providers.set(providerReference(urn, id), provider);
		const alias = this.aliases.get(urn);
		if (alias !== undefined) this.providers.set(providerReference(alias, id), provider);
	}

	/** A provider resource was registered under a new URN; resources in the state still name the old one. */
	addAlias(urn: string, alias: string): void {
		if (urn !== alias) this.aliases.set(urn, alias);
	}

	/**
	 * The provider that a resource names, loaded from the state if this update has not registered it.
	 * @throws EngineError when neither knows it.
	 */
	async ensure(reference: string): Promise<ManagedProvider> {
		const loaded = this.providers.get(reference);
		if (loaded !== undefined) return loaded;
		const state = this.find(providerUrn(reference), providerId(reference));
		if (state === undefined) throw new EngineError(`unknown provider '${reference}'`);
		await this.same(state);
		const provider = this.providers.get(reference);
		if (provider === undefined) throw new EngineError(`unknown provider '${reference}'`);
		return provider;
	}

	async check(
		urn: string,
		olds: PropertyMap | undefined,
		news: PropertyMap,
	): Promise<{ inputs: PropertyMap; failures: CheckFailure[] }> {
		const managed = await this.open(packageOf(typeOf(urn)));
		const { provider } = managed;
		const config = providerConfig(news);
		const result = await provider.checkConfig({
			...subjectOf(urn),
			olds: olds === undefined ? undefined : propertiesForProvider(providerConfig(olds)),
			news: propertiesForProvider(config),
		});
		const secret = provider.secretProperties(typeOf(urn));
		const inputs = markSecret(annotateSecrets(result.inputs, config), secret);
		if (news.version !== undefined && inputs.version === undefined) inputs.version = news.version;
		if (news[INTERNAL_KEY] !== undefined) inputs[INTERNAL_KEY] = news[INTERNAL_KEY];
		const failures = result.failures ?? [];
		if (failures.length === 0) {
			this.providers.set(providerReference(urn, UNCONFIGURED), managed);
		}
		return { inputs, failures };
	}

	private checked(urn: string): ManagedProvider | undefined {
		const reference = providerReference(urn, UNCONFIGURED);
		const provider = this.providers.get(reference);
		this.providers.delete(reference);
		return provider;
	}

	async diff(old: ResourceState, news: PropertyMap): Promise<Diff> {
		const managed =
			this.providers.get(providerReference(old.urn, UNCONFIGURED)) ??
			this.providers.get(providerReference(old.urn, old.id)) ??
			(await this.same(old));
		return this.diffConfig(managed.provider, old, news);
	}

	private async diffConfig(provider: Provider, old: ResourceState, news: PropertyMap): Promise<Diff> {
		const config = providerConfig(news);
		const result = await provider.diffConfig({
			...subjectOf(old.urn),
			olds: propertiesForProvider(providerConfig(old.inputs)),
			news: propertiesForProvider(config),
		});
		return fromResult(result, () => (equal(old.outputs, config) ? NO_DIFF : { ...NO_DIFF, changed: true }));
	}

	/** Whether going from one provider resource to another means that what the old one made must be replaced. */
	async changeReplaces(
		oldReference: string,
		now: ResourceState | undefined,
		reference: string,
	): Promise<boolean> {
		const old = this.find(providerUrn(oldReference), providerId(oldReference));
		const provider = this.providers.get(reference);
		if (old === undefined || now === undefined || provider === undefined) {
			throw new EngineError(`failed to resolve provider reference: '${reference}'`);
		}
		return isReplacement(await this.diffConfig(provider.provider, old, now.inputs));
	}

	/** Configures a provider as the state has it. */
	async same(state: ResourceState): Promise<ManagedProvider> {
		const known = this.providers.get(providerReference(state.urn, state.id));
		if (known !== undefined) return known;
		const managed = this.checked(state.urn) ?? (await this.open(packageOf(state.type)));
		await managed.configure(configurationOf(state.inputs));
		this.set(state.urn, state.id, managed);
		return managed;
	}

	async create(state: ResourceState, preview: boolean): Promise<Outcome> {
		return this.configureAs(state, preview ? UNKNOWN_ID : randomUUID());
	}

	async update(state: ResourceState, id: string): Promise<Outcome> {
		return this.configureAs(state, id);
	}

	private async configureAs(state: ResourceState, id: string): Promise<Outcome> {
		const managed = this.checked(state.urn) ?? (await this.open(packageOf(state.type)));
		await managed.configure(configurationOf(state.inputs));
		this.set(state.urn, id, managed);
		return { id, outputs: providerConfig(state.inputs), initErrors: [] };
	}

	async cancel(): Promise<void> {
		await Promise.all([...this.opened].map(({ provider }) => provider.cancel()));
	}

	/** Closes every provider that was opened; all are tried, the first failure is thrown. */
	async close(): Promise<void> {
		const results = await Promise.allSettled([...this.opened].map(({ provider }) => provider.close()));
		this.opened.clear();
		this.providers.clear();
		const failed = results.find((result) => result.status === "rejected");
		if (failed !== undefined) throw failed.reason;
	}
}

function configurationOf(inputs: PropertyMap): Properties {
	return propertiesForProvider(providerConfig(inputs));
}
