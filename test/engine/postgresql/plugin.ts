import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { credentials, Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PLUGIN_VERSION } from "../../../engine/postgresql/provider";
import { type Properties, type Provider, UNKNOWN, type Value } from "../../../engine/provider";

const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** What both the real plugin and the embedded provider can be asked. */
export type Peer = Pick<
	Provider,
	"checkConfig" | "configure" | "check" | "diff" | "create" | "read" | "update" | "delete" | "close"
>;

/** The real plugin's program, if it is installed where the Pulumi CLI looks for it. */
export function findPlugin(): string | undefined {
	const name = "pulumi-resource-postgresql";
	const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
	const installed = join(home, "plugins", `resource-postgresql-v${PLUGIN_VERSION}`, name);
	const candidates = [
		installed,
		...(process.env.PATH ?? "").split(delimiter).map((each) => join(each, name)),
	];
	return candidates.find((candidate) => {
		try {
			accessSync(candidate, constants.X_OK);
			return true;
		} catch {
			// Not there or not to be run: the next place is looked at.
			return false;
		}
	});
}

/** Starts the plugin as the Pulumi CLI does and speaks its protocol. `secrets` collects what it marks as secret. */
export async function startPlugin(program: string, secrets: Set<string>): Promise<Peer> {
	const engine = new Server();
	engine.addService(EngineService, {
		log: (_call: unknown, answer: (error: null, reply: Empty) => void) => answer(null, new Empty()),
		getRootResource: refuse,
		setRootResource: refuse,
		startDebugging: refuse,
		requirePulumiVersion: refuse,
	});
	const port = await new Promise<number>((resolve, reject) =>
		engine.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
			error ? reject(error) : resolve(bound),
		),
	);
	const child = spawn(program, [`127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "ignore"] });
	const [first] = await once(child.stdout, "data");
	const client = new ResourceProviderClient(
		`127.0.0.1:${String(first).trim()}`,
		credentials.createInsecure(),
	);
	return new Plugin(child, engine, client, secrets);
}

function refuse(_call: unknown, answer: (error: Partial<ServiceError>) => void): void {
	answer({ code: 12, details: "not needed here" });
}

type Reply<T> = (error: ServiceError | null, reply: T) => void;

class Plugin implements Peer {
	constructor(
		private readonly child: ChildProcess,
		private readonly engine: Server,
		private readonly client: ResourceProviderClient,
		private readonly secrets: Set<string>,
	) {}

	async checkConfig({ urn, news }: Parameters<Peer["checkConfig"]>[0]) {
		const request = new messages.CheckRequest();
		request.setUrn(urn);
		request.setNews(this.toStruct(news));
		const reply = await this.call<messages.CheckResponse>((done) => this.client.checkConfig(request, done));
		return this.checked("pulumi:providers:postgresql", reply);
	}

	async configure(inputs: Properties) {
		const request = new messages.ConfigureRequest();
		request.setArgs(this.toStruct(inputs));
		request.setAcceptsecrets(true);
		request.setAcceptresources(true);
		for (const [name, value] of Object.entries(inputs)) {
			request
				.getVariablesMap()
				.set(`postgresql:config:${name}`, typeof value === "string" ? value : JSON.stringify(value));
		}
		await this.call<messages.ConfigureResponse>((done) => this.client.configure(request, done));
	}

	async check({ urn, type, olds, news, randomSeed }: Parameters<Peer["check"]>[0]) {
		const request = new messages.CheckRequest();
		request.setUrn(urn);
		if (olds !== undefined) {
			request.setOlds(this.toStruct(olds));
		}
		request.setNews(this.toStruct(news));
		request.setRandomseed(randomSeed);
		return this.checked(
			type,
			await this.call<messages.CheckResponse>((done) => this.client.check(request, done)),
		);
	}

	async diff({ urn, id, olds, oldInputs, news, ignoreChanges }: Parameters<Peer["diff"]>[0]) {
		const request = new messages.DiffRequest();
		request.setUrn(urn);
		request.setId(id);
		request.setOlds(this.toStruct(olds));
		request.setOldInputs(this.toStruct(oldInputs));
		request.setNews(this.toStruct(news));
		request.setIgnorechangesList(ignoreChanges);
		const reply = await this.call<messages.DiffResponse>((done) => this.client.diff(request, done));
		const detailed = reply.toObject().detaileddiffMap;
		const kinds = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"] as const;
		return {
			changes: (["unknown", "none", "some"] as const)[reply.getChanges()] ?? "unknown",
			replaces: reply.getReplacesList(),
			stables: reply.getStablesList(),
			diffs: reply.getDiffsList(),
			detailed: Object.fromEntries(
				detailed.map(([path, { kind }]) => [path, { kind: kinds[kind] ?? "update" }]),
			),
			deleteBeforeReplace: reply.getDeletebeforereplace(),
		};
	}

	async create({ urn, type, inputs, preview }: Parameters<Peer["create"]>[0]) {
		const request = new messages.CreateRequest();
		request.setUrn(urn);
		request.setProperties(this.toStruct(inputs));
		request.setPreview(preview);
		const reply = await this.call<messages.CreateResponse>((done) => this.client.create(request, done));
		return { id: reply.getId(), properties: this.fromStruct(type, reply.getProperties()) };
	}

	async read({ urn, type, id, properties, inputs }: Parameters<Peer["read"]>[0]) {
		const request = new messages.ReadRequest();
		request.setUrn(urn);
		request.setId(id);
		if (Object.keys(properties).length > 0) {
			request.setProperties(this.toStruct(properties));
			request.setInputs(this.toStruct(inputs));
		}
		const reply = await this.call<messages.ReadResponse>((done) => this.client.read(request, done));
		return reply.getId() === ""
			? undefined
			: {
					id: reply.getId(),
					properties: this.fromStruct(type, reply.getProperties()),
					inputs: this.fromStruct(type, reply.getInputs()),
				};
	}

	async update({ urn, type, id, olds, oldInputs, news, preview }: Parameters<Peer["update"]>[0]) {
		const request = new messages.UpdateRequest();
		request.setUrn(urn);
		request.setId(id);
		request.setOlds(this.toStruct(olds));
		request.setOldInputs(this.toStruct(oldInputs));
		request.setNews(this.toStruct(news));
		request.setPreview(preview);
		const reply = await this.call<messages.UpdateResponse>((done) => this.client.update(request, done));
		return this.fromStruct(type, reply.getProperties());
	}

	async delete({ urn, id, properties, inputs }: Parameters<Peer["delete"]>[0]) {
		const request = new messages.DeleteRequest();
		request.setUrn(urn);
		request.setId(id);
		request.setProperties(this.toStruct(properties));
		request.setOldInputs(this.toStruct(inputs));
		await this.call<Empty>((done) => this.client.delete(request, done));
	}

	async close() {
		this.client.close();
		this.engine.forceShutdown();
		if (this.child.exitCode === null) {
			this.child.kill();
			await once(this.child, "exit");
		}
	}

	private call<T>(send: (done: Reply<T>) => void): Promise<T> {
		return new Promise((resolve, reject) =>
			send((error, reply) => (error === null ? resolve(reply) : reject(error))),
		);
	}

	private checked(type: string, reply: messages.CheckResponse) {
		const failures = reply.getFailuresList().map((each) => ({
			property: each.getProperty(),
			reason: each.getReason(),
		}));
		return { inputs: this.fromStruct(type, reply.getInputs()), failures };
	}

	private toStruct(properties: Properties): Struct {
		return Struct.fromJavaScript(encode(properties) as { [key: string]: JavaScriptValue });
	}

	private fromStruct(type: string, struct: Struct | undefined): Properties {
		const raw = (struct?.toJavaScript() ?? {}) as Properties;
		this.note(type, raw);
		return decode(raw) as Properties;
	}

	private note(type: string, raw: Properties): void {
		for (const [name, value] of Object.entries(raw)) {
			if (isSecret(value)) {
				this.secrets.add(`${type}.${name}`);
			}
		}
	}
}

function encode(value: Value): unknown {
	if (value === UNKNOWN) {
		return UNKNOWN_TEXT;
	}
	if (Array.isArray(value)) {
		return value.map(encode);
	}
	return value !== null && typeof value === "object" ? mapObject(value, encode) : value;
}

function decode(value: Value): Value {
	if (value === UNKNOWN_TEXT) {
		return UNKNOWN;
	}
	if (Array.isArray(value)) {
		return value.map(decode);
	}
	if (isSecret(value)) {
		return decode(value.value ?? null);
	}
	return value !== null && typeof value === "object" ? mapObject(value, decode) : value;
}

function isSecret(value: Value): value is { value: Value } {
	return typeof value === "object" && value !== null && SIGNATURE in value;
}

function mapObject<T>(object: { [key: string]: Value }, map: (value: Value) => T): { [key: string]: T } {
	return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}
