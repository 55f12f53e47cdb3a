import { join } from "node:path";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/analyzer_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { Child } from "../../engine/childProcess";
import { urnOf } from "./policies";

/** A resource as an engine describes it to an analyzer. */
export interface Analyzed {
	type: string;
	name: string;
	properties: Record<string, JavaScriptValue>;
	/** URNs. */
	parent?: string;
	dependencies?: string[];
}

const START_DEADLINE_MS = 60_000;
const FOLDER = join(__dirname, "..", "..", "policy");

/** The policy pack as the Pulumi CLI runs it: the SDK's own runner in a process, asked over gRPC. */
export class Analyzer {
	private constructor(
		private readonly child: Child,
		private readonly client: AnalyzerClient,
	) {}

	/** @param config the stack's, full key → text */
	static async start(config: Record<string, string>): Promise<Analyzer> {
		let announce: (port: string) => void = () => {};
		const port = new Promise<string>((resolve) => {
			announce = resolve;
		});
		const told: string[] = [];
		const child = new Child({
			nodeArguments: [],
			script: require.resolve("@pulumi/pulumi/cmd/run-policy-pack"),
			// The engine's address, at which a pack has nothing to ask.
			arguments: ["127.0.0.1:1", FOLDER],
			cwd: FOLDER,
			env: {
				...process.env,
				PULUMI_CONFIG: JSON.stringify(config),
				PULUMI_NODEJS_PROJECT: "camera-counting",
				PULUMI_NODEJS_STACK: "production",
			},
			onLine(line, stream) {
				told.push(line);
				if (stream === "stdout") announce(line.trim());
			},
		});
		let timer: NodeJS.Timeout | undefined;
		const failed = new Promise<never>((_, reject) => {
			const fail = (why: string) => reject(new Error(`the policy pack ${why}: ${told.join("\n")}`));
			timer = setTimeout(() => fail("did not start in time"), START_DEADLINE_MS);
			child.exited.then(() => fail("ended"), reject);
		});
		failed.catch(() => {});
		try {
			const address = `127.0.0.1:${await Promise.race([port, failed])}`;
			return new Analyzer(child, new AnalyzerClient(address, credentials.createInsecure()));
		} catch (error) {
			await child.end();
			throw error;
		} finally {
			clearTimeout(timer);
		}
	}

	/** What the pack has to say of one resource: `level policy: message`. */
	async analyze(resource: Analyzed): Promise<string[]> {
		const { type, name, properties } = resource;
		const request = new proto.AnalyzeRequest();
		request.setType(type);
		request.setName(name);
		request.setUrn(urnOf(type, name));
		request.setProperties(Struct.fromJavaScript(properties));
		request.setOptions(new proto.AnalyzerResourceOptions());
		return this.answer((done) => this.client.analyze(request, done));
	}

	/** What the pack has to say of a stack. */
	async analyzeStack(resources: Analyzed[]): Promise<string[]> {
		const request = new proto.AnalyzeStackRequest();
		request.setResourcesList(
			resources.map(({ type, name, properties, parent = "", dependencies = [] }) => {
				const resource = new proto.AnalyzerResource();
				resource.setType(type);
				resource.setName(name);
				resource.setUrn(urnOf(type, name));
				resource.setProperties(Struct.fromJavaScript(properties));
				resource.setOptions(new proto.AnalyzerResourceOptions());
				resource.setParent(parent);
				resource.setDependenciesList(dependencies);
				return resource;
			}),
		);
		return this.answer((done) => this.client.analyzeStack(request, done));
	}

	async end(): Promise<void> {
		this.client.close();
		await this.child.end();
	}

	private async answer(
		ask: (done: (error: ServiceError | null, response: proto.AnalyzeResponse) => void) => unknown,
	): Promise<string[]> {
		const response = await new Promise<proto.AnalyzeResponse>((resolve, reject) => {
			ask((error, answer) => (error === null ? resolve(answer) : reject(error)));
		});
		return response.getDiagnosticsList().map((found) => {
			// The first line is the policy's own description.
			const message = found.getMessage().split("\n").at(-1);
			return `${LEVELS[found.getEnforcementlevel()]} ${found.getPolicyname()}: ${message}`;
		});
	}
}

const LEVELS: Record<number, string> = {
	[proto.EnforcementLevel.ADVISORY]: "advisory",
	[proto.EnforcementLevel.MANDATORY]: "mandatory",
};
