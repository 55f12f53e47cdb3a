/** Dynamic resources: the SDK's own provider host, started as a process and spoken to over gRPC. */
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Child } from "./childProcess";
import { initFailureOf } from "./dynamicErrors";
import { EngineError } from "./errors";
import type * as engine from "./provider";
import { propertiesForProvider } from "./values";
import { mapToStruct, structToMap } from "./wire";

export interface DynamicHostOptions {
	/** The SDK's `cmd/dynamic-provider`. */
	script: string;
	/** `127.0.0.1:<port>` of the engine's services. */
	address: string;
	cwd: string;
	project: string;
	stack: string;
	env: NodeJS.ProcessEnv;
	onLine(line: string): void;
}

const START_DEADLINE = 60_000;
/** Properties may be large: a serialized provider is one. */
const CHANNEL = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

/** The process; one serves all dynamic resources of an update and of the preview before it. */
export class DynamicHost {
	private readonly child: Child;
	private readonly ready: Promise<ResourceProviderClient>;
	private client: ResourceProviderClient | undefined;

	constructor(options: DynamicHostOptions) {
		let announce: (port: string) => void = () => {};
		const announced = new Promise<string>((resolve) => {
			announce = resolve;
		});
		let started = false;
		this.child = new Child({
			nodeArguments: [],
			script: options.script,
			arguments: [options.address],
			cwd: options.cwd,
			env: { ...options.env, PULUMI_NODEJS_PROJECT: options.project, PULUMI_NODEJS_STACK: options.stack },
			onLine: (line, stream) => {
				if (started || stream === "stderr") {
					options.onLine(line);
				} else {
					started = true;
					announce(line.trim());
				}
			},
		});
		this.ready = this.connect(announced);
		this.ready.catch(() => {});
	}

	private async connect(announced: Promise<string>): Promise<ResourceProviderClient> {
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<never>((_, reject) => {
			timer = setTimeout(
				() => reject(new EngineError("the dynamic provider host did not start within 60 s")),
				START_DEADLINE,
			);
		});
		const died = this.child.exited.then(({ code, signal }): never => {
			throw new EngineError(`the dynamic provider host ended early (${signal ?? `exit code ${code}`})`);
		});
		try {
			const port = await Promise.race([announced, died, late]);
			this.client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), CHANNEL);
			return this.client;
		} finally {
			clearTimeout(timer);
		}
	}

	/** Calls a method of the host; the host's failures come back as plain errors. */
	async call<Response>(
		method: (
			client: ResourceProviderClient,
			done: (error: ServiceError | null, response: Response) => void,
		) => unknown,
	): Promise<Response> {
		const client = await this.ready;
		return new Promise((resolve, reject) => {
			method(client, (error, response) => {
				if (error === null) resolve(response);
				else reject(initFailureOf(error) ?? new Error(reasonOf(error)));
			});
		});
	}

	async end(): Promise<void> {
		this.client?.close();
		await this.child.end();
	}
}

function reasonOf(error: ServiceError): string {
	return error.code === status.UNAVAILABLE
		? `the dynamic provider host is gone: ${error.details}`
		: error.details || error.message;
}

function struct(properties: engine.Properties): Struct {
	return mapToStruct(properties, { keepSecrets: false, keepResources: false });
}

function properties(value: Struct | undefined): engine.Properties {
	return propertiesForProvider(structToMap(value));
}

const CHANGES = {
	[proto.DiffResponse.DiffChanges.DIFF_UNKNOWN]: "unknown",
	[proto.DiffResponse.DiffChanges.DIFF_NONE]: "none",
	[proto.DiffResponse.DiffChanges.DIFF_SOME]: "some",
} as const;

/** The provider of package `pulumi-nodejs`. Its own configuration is the stack's. */
export class DynamicProvider implements engine.Provider {
	readonly supportsPreview = false;

	constructor(
		private readonly host: DynamicHost,
		readonly version: string,
	) {}

	secretProperties(): readonly string[] {
		return [];
	}

	async checkConfig({ news }: engine.ConfigRequest): Promise<engine.CheckResult> {
		return { inputs: news };
	}

	async diffConfig(): Promise<engine.DiffResult> {
		return { changes: "unknown" };
	}

	async configure(inputs: engine.Properties): Promise<void> {
		const request = new proto.ConfigureRequest();
		request.setArgs(struct(inputs));
		request.setAcceptsecrets(true);
		request.setAcceptresources(true);
		await this.host.call<proto.ConfigureResponse>((client, done) => client.configure(request, done));
	}

	async check(request: engine.CheckRequest): Promise<engine.CheckResult> {
		const message = new proto.CheckRequest();
		message.setUrn(request.urn).setName(request.name).setType(request.type);
		message.setOlds(struct(request.olds ?? {})).setNews(struct(request.news));
		message.setRandomseed(request.randomSeed);
		const response = await this.host.call<proto.CheckResponse>((client, done) => client.check(message, done));
		return {
			inputs: properties(response.getInputs()),
			failures: response
				.getFailuresList()
				.map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
		};
	}

	async diff(request: engine.DiffRequest): Promise<engine.DiffResult> {
		const message = new proto.DiffRequest();
		message.setId(request.id).setUrn(request.urn).setName(request.name).setType(request.type);
		message.setOlds(struct(request.olds)).setNews(struct(request.news));
		message.setOldInputs(struct(request.oldInputs)).setIgnorechangesList(request.ignoreChanges);
		const response = await this.host.call<proto.DiffResponse>((client, done) => client.diff(message, done));
		return {
			changes: CHANGES[response.getChanges()],
			replaces: response.getReplacesList(),
			stables: response.getStablesList(),
			diffs: response.getDiffsList(),
			deleteBeforeReplace: response.getDeletebeforereplace(),
		};
	}

	async create(request: engine.CreateRequest): Promise<engine.ResourceState> {
		const message = new proto.CreateRequest();
		message.setUrn(request.urn).setName(request.name).setType(request.type);
		message.setProperties(struct(request.inputs)).setTimeout(request.timeoutSeconds);
		const response = await this.host.call<proto.CreateResponse>((client, done) =>
			client.create(message, done),
		);
		return { id: response.getId(), properties: properties(response.getProperties()) };
	}

	async read(request: engine.ReadRequest): Promise<engine.ReadResult | undefined> {
		const message = new proto.ReadRequest();
		message.setId(request.id).setUrn(request.urn).setName(request.name).setType(request.type);
		message.setProperties(struct(request.properties)).setInputs(struct(request.inputs));
		const response = await this.host.call<proto.ReadResponse>((client, done) => client.read(message, done));
		if (response.getId() === "") return undefined;
		return {
			id: response.getId(),
			properties: properties(response.getProperties()),
			inputs: response.hasInputs() ? properties(response.getInputs()) : undefined,
		};
	}

	async update(request: engine.UpdateRequest): Promise<engine.Properties> {
		const message = new proto.UpdateRequest();
		message.setId(request.id).setUrn(request.urn).setName(request.name).setType(request.type);
		message.setOlds(struct(request.olds)).setNews(struct(request.news));
		message.setOldInputs(struct(request.oldInputs)).setIgnorechangesList(request.ignoreChanges);
		message.setTimeout(request.timeoutSeconds);
		const response = await this.host.call<proto.UpdateResponse>((client, done) =>
			client.update(message, done),
		);
		return properties(response.getProperties());
	}

	async delete(request: engine.DeleteRequest): Promise<void> {
		const message = new proto.DeleteRequest();
		message.setId(request.id).setUrn(request.urn).setName(request.name).setType(request.type);
		message.setProperties(struct(request.properties)).setOldInputs(struct(request.inputs));
		message.setTimeout(request.timeoutSeconds);
		await this.host.call<Empty>((client, done) => client.delete(message, done));
	}

	async invoke({ token }: engine.InvokeRequest): Promise<engine.InvokeResult> {
		throw new EngineError(`unknown function ${token}`);
	}

	async cancel(): Promise<void> {}

	/** The host outlives the provider: the preview and the update share it. */
	async close(): Promise<void> {}
}
