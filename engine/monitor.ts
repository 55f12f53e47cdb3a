/** Answers the program: turns its requests into goals, and the states that come of them into responses. */
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import * as proto from "@pulumi/pulumi/proto/resource_pb";
import { type DefaultProviders, setDownloadUrl, setVersion } from "./defaultProviders";
import { EngineError, messageOf } from "./errors";
import type { Goal, ReadGoal } from "./goal";
import type { ManagedProvider } from "./managedProvider";
import { goalOf, positionOf, traceOf } from "./registration";
import type { Monitor, Severity } from "./server";
import type { ResourceState } from "./state";
import { isProviderType, packageOf, providerUrn, typeOf } from "./urn";
import { containsUnknowns, type PropertyMap } from "./values";
import { mapToStruct, structToMap } from "./wire";

/** The update as the monitor sees it. Promises never resolve once the update has failed. */
export interface UpdateInProgress {
	readonly preview: boolean;
	readonly root: string;
	register(goal: Goal): Promise<ResourceState>;
	read(goal: ReadGoal): Promise<ResourceState>;
	setOutputs(urn: string, outputs: PropertyMap): Promise<void>;
	provider(reference: string): ManagedProvider | undefined;
	/** What stops the whole update: reports the error and never resolves. */
	abort(urn: string, error: unknown): Promise<never>;
	programFinished(): void;
	log(severity: Severity, message: string, urn: string, ephemeral: boolean): void;
}

export class ProgramMonitor implements Monitor {
	/** Goals by URN: children inherit from them. */
	private readonly goals = new Map<string, Goal>();
	/** Provider references by package, by the URN of the component that was given them. */
	private readonly componentProviders = new Map<string, Map<string, string>>();

	constructor(
		private readonly update: UpdateInProgress,
		private readonly defaults: DefaultProviders,
	) {}

	async registerResource(request: proto.RegisterResourceRequest): Promise<proto.RegisterResourceResponse> {
		let goal: Goal;
		const providers = new Map<string, string>();
		try {
			goal = goalOf(request, this.update.root);
			for (const [pkg, reference] of request.getProvidersMap().toArray()) providers.set(pkg, reference);
			await this.resolveProvider(goal, request, providers);
		} catch (error) {
			return this.update.abort("", error);
		}
		const state = await this.update.register(goal);
		this.goals.set(state.urn, goal);
		if (!goal.custom) this.componentProviders.set(state.urn, providers);
		return responseOf(state, request);
	}

	private async resolveProvider(
		goal: Goal,
		request: proto.RegisterResourceRequest,
		providers: Map<string, string>,
	): Promise<void> {
		const pkg = packageOf(goal.type);
		const inherited = this.componentProviders.get(goal.parent);
		this.inherit(goal, pkg);
		if (!goal.custom) {
			for (const [name, reference] of inherited ?? [])
				if (!providers.has(name)) providers.set(name, reference);
			return;
		}
		const version = request.getVersion();
		const pluginDownloadUrl = request.getPlugindownloadurl().replace(/\/$/, "");
		if (isProviderType(goal.type)) {
			goal.provider = "";
			if (version !== "") setVersion(goal.properties, version);
			if (pluginDownloadUrl !== "") setDownloadUrl(goal.properties, pluginDownloadUrl);
			return;
		}
		goal.provider ||= providers.get(pkg) ?? inherited?.get(pkg) ?? "";
		goal.provider ||= await this.defaults.reference({ pkg, version, pluginDownloadUrl });
	}

	/** What the parent says holds for its children, unless they say otherwise. */
	private inherit(goal: Goal, pkg: string): void {
		const parent = this.goals.get(goal.parent);
		if (parent === undefined) return;
		goal.deletedWith ||= parent.deletedWith;
		goal.protect ??= parent.protect;
		goal.retainOnDelete ??= parent.retainOnDelete;
		if (goal.provider === "" && parent.provider !== "") {
			const fits = packageOf(typeOf(providerUrn(parent.provider))) === pkg;
			if (!goal.custom || fits) goal.provider = parent.provider;
		}
	}

	async registerOutputs(request: proto.RegisterResourceOutputsRequest): Promise<void> {
		let outputs: PropertyMap;
		try {
			outputs = structToMap(request.getOutputs());
		} catch (error) {
			return this.update.abort(request.getUrn(), error);
		}
		await this.update.setOutputs(request.getUrn(), outputs);
	}

	async readResource(request: proto.ReadResourceRequest): Promise<proto.ReadResourceResponse> {
		let goal: ReadGoal;
		try {
			goal = await this.readGoalOf(request);
		} catch (error) {
			return this.update.abort("", error);
		}
		const state = await this.update.read(goal);
		const response = new proto.ReadResourceResponse();
		response.setUrn(state.urn);
		const options = { keepSecrets: request.getAcceptsecrets(), keepResources: request.getAcceptresources() };
		response.setProperties(mapToStruct(state.outputs, options));
		return response;
	}

	private async readGoalOf(request: proto.ReadResourceRequest): Promise<ReadGoal> {
		const pkg = packageOf(request.getType());
		const reference = request.getProvider();
		return {
			id: request.getId(),
			type: request.getType(),
			name: request.getName(),
			parent: request.getParent(),
			provider:
				reference || (await this.defaultProvider(pkg, request.getVersion(), request.getPlugindownloadurl())),
			properties: structToMap(request.getProperties()),
			dependencies: [...new Set(request.getDependenciesList())],
			additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
			sourcePosition: positionOf(request.getSourceposition(), this.update.root),
			stackTrace: traceOf(request.getStacktrace(), this.update.root),
		};
	}

	private defaultProvider(pkg: string, version: string, url: string): Promise<string> {
		return this.defaults.reference({ pkg, version, pluginDownloadUrl: url.replace(/\/$/, "") });
	}

	async invoke(request: proto.ResourceInvokeRequest): Promise<provider.InvokeResponse> {
		const token = request.getTok();
		const reference =
			request.getProvider() ||
			(await this.defaultProvider(packageOf(token), request.getVersion(), request.getPlugindownloadurl()));
		const managed = this.update.provider(reference);
		if (managed === undefined) throw new EngineError(`Invoke: unknown provider '${reference}'`);
		const response = new provider.InvokeResponse();
		try {
			const args = structToMap(request.getArgs());
			const { result, failures } = await managed.invoke(token, args, this.update.preview);
			const keepResources = request.getAcceptresources() || token === "pulumi:pulumi:getResource";
			response.setReturn(mapToStruct(result, { keepSecrets: true, keepResources }));
			response.setFailuresList(
				failures.map(({ property, reason }) => {
					const failure = new provider.CheckFailure();
					failure.setProperty(property);
					failure.setReason(reason);
					return failure;
				}),
			);
		} catch (error) {
			throw new EngineError(`invocation of ${token} returned an error: ${messageOf(error)}`);
		}
		return response;
	}

	finished(): void {
		this.update.programFinished();
	}

	log(severity: Severity, message: string, urn: string, ephemeral: boolean): void {
		this.update.log(severity, message, urn, ephemeral);
	}
}

function responseOf(
	state: ResourceState,
	request: proto.RegisterResourceRequest,
): proto.RegisterResourceResponse {
	let outputs = state.custom ? state.outputs : {};
	if (!request.getSupportspartialvalues()) {
		outputs = Object.fromEntries(Object.entries(outputs).filter(([, value]) => !containsUnknowns(value)));
	}
	const response = new proto.RegisterResourceResponse();
	response.setUrn(state.urn);
	response.setId(state.id);
	const options = { keepSecrets: request.getAcceptsecrets(), keepResources: request.getAcceptresources() };
	response.setObject(mapToStruct(outputs, options));
	response.setResult(proto.Result.SUCCESS);
	return response;
}
