import { Metadata, status } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A resource is there, but not as it should be. */
export class UnhealthyResource extends Error {
	override readonly name = "UnhealthyResource";

	constructor(
		message: string,
		/** As they really are. */
		readonly outputs: object,
		/** Why it is not as it should be, each a sentence. */
		readonly reasons: readonly string[],
	) {
		super(message);
		// The provider host prints an error with its stack, which says nothing here.
		this.stack = reasons.join("; ");
	}

	override toString(): string {
		return this.message;
	}
}

const DETAILS = "grpc-status-details-bin";
const INIT_FAILED = "pulumirpc.ErrorResourceInitFailed";

/**
 * The error that tells an engine so when it reads a resource: it warns with the reasons, keeps the properties, and lets
 * the next update mend the resource. The SDK's provider host knows that for create and update alone, and sends what is
 * thrown by read as it is.
 *
 * @param properties all of the resource's, with those that Pulumi adds
 */
export function unhealthyOnRead(error: UnhealthyResource, id: string, properties: object): Error {
	const failure = new ErrorResourceInitFailed();
	failure.setId(id);
	failure.setProperties(Struct.fromJavaScript(properties as Record<string, JavaScriptValue>));
	failure.setReasonsList([...error.reasons]);
	const detail = new Any();
	detail.pack(failure.serializeBinary(), INIT_FAILED);
	const told = new Status();
	told.setCode(status.UNKNOWN);
	told.setMessage(error.message);
	told.addDetails(detail);
	const metadata = new Metadata();
	metadata.add(DETAILS, Buffer.from(told.serializeBinary()));
	return Object.assign(error, { code: status.UNKNOWN, details: error.message, metadata });
}
