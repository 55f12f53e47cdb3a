/** The gRPC services that the program and the provider host speak to: ResourceMonitor and Engine, on one port. */
import {
	type handleUnaryCall,
	Server,
	ServerCredentials,
	type ServerUnaryCall,
	type sendUnaryData,
	status,
	type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engineProto from "@pulumi/pulumi/proto/engine_pb";
import type { InvokeResponse } from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineError, messageOf } from "./errors";

export type Severity = "debug" | "info" | "warning" | "error";

/** What answers the program while one preview or update runs. A promise that never resolves leaves it waiting. */
export interface Monitor {
	registerResource(request: proto.RegisterResourceRequest): Promise<proto.RegisterResourceResponse>;
	registerOutputs(request: proto.RegisterResourceOutputsRequest): Promise<void>;
	readResource(request: proto.ReadResourceRequest): Promise<proto.ReadResourceResponse>;
	invoke(request: proto.ResourceInvokeRequest): Promise<InvokeResponse>;
	/** The program has done all that it will do. */
	finished(): void;
	log(severity: Severity, message: string, urn: string, ephemeral: boolean): void;
}

const FEATURES = new Set(["secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith"]);

const SEVERITIES = {
	[engineProto.LogSeverity.DEBUG]: "debug",
	[engineProto.LogSeverity.INFO]: "info",
	[engineProto.LogSeverity.WARNING]: "warning",
	[engineProto.LogSeverity.ERROR]: "error",
} as const;

const UNLIMITED = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

export class EngineServer {
	private readonly server = new Server(UNLIMITED);
	private rootUrn = "";
	/** Whom the calls go to. */
	monitor: Monitor | undefined;
	/** `127.0.0.1:<port>`, once started. */
	address = "";

	async start(): Promise<void> {
		this.server.addService(ResourceMonitorService, this.monitorHandlers());
		this.server.addService(EngineService, this.engineHandlers());
		const port = await new Promise<number>((resolve, reject) => {
			this.server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
				if (error === null) resolve(bound);
				else reject(new EngineError(`could not listen on 127.0.0.1: ${error.message}`));
			});
		});
		this.address = `127.0.0.1:${port}`;
	}

	/** Drops every call that is still open. */
	stop(): void {
		this.server.forceShutdown();
	}

	private current(): Monitor {
		if (this.monitor === undefined) throw new EngineError("no update is running");
		return this.monitor;
	}

	private monitorHandlers(): UntypedServiceImplementation {
		return {
			supportsFeature: unary((request: proto.SupportsFeatureRequest) => {
				const response = new proto.SupportsFeatureResponse();
				response.setHassupport(FEATURES.has(request.getId()));
				return response;
			}),
			registerResource: unary((request: proto.RegisterResourceRequest) =>
				this.current().registerResource(request),
			),
			registerResourceOutputs: unary(async (request: proto.RegisterResourceOutputsRequest) => {
				await this.current().registerOutputs(request);
				return new Empty();
			}),
			readResource: unary((request: proto.ReadResourceRequest) => this.current().readResource(request)),
			invoke: unary((request: proto.ResourceInvokeRequest) => this.current().invoke(request)),
			signalAndWaitForShutdown: unary(() => {
				this.current().finished();
				return new Empty();
			}),
			getDeploymentInfo: unimplemented("deployment info"),
			call: unimplemented("methods of resources"),
			registerStackTransform: unimplemented("transforms"),
			registerStackInvokeTransform: unimplemented("transforms"),
			registerResourceHook: unimplemented("resource hooks"),
			registerErrorHook: unimplemented("error hooks"),
			registerPackage: unimplemented("parameterized packages"),
		};
	}

	private engineHandlers(): UntypedServiceImplementation {
		return {
			log: unary((request: engineProto.LogRequest) => {
				const severity = SEVERITIES[request.getSeverity()];
				this.monitor?.log(severity, request.getMessage(), request.getUrn(), request.getEphemeral());
				return new Empty();
			}),
			getRootResource: unary(() => {
				const response = new engineProto.GetRootResourceResponse();
				response.setUrn(this.rootUrn);
				return response;
			}),
			setRootResource: unary((request: engineProto.SetRootResourceRequest) => {
				this.rootUrn = request.getUrn();
				return new engineProto.SetRootResourceResponse();
			}),
			startDebugging: unimplemented("debugging"),
			requirePulumiVersion: unary(() => new engineProto.RequirePulumiVersionResponse()),
		};
	}
}

function unary<Request, Response>(
	handle: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
	return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
		Promise.resolve()
			.then(() => handle(call.request))
			.then(
				(response) => callback(null, response),
				(error) => callback({ code: status.UNKNOWN, details: messageOf(error) }),
			);
	};
}

function unimplemented(what: string): handleUnaryCall<unknown, unknown> {
	return (_, callback) =>
		callback({
			code: status.UNIMPLEMENTED,
			details: `${what} are beyond the embedded engine; install the Pulumi CLI to run this program`,
		});
}
