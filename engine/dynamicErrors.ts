/** How the dynamic provider host tells that a resource was made but is not right: in the trailing metadata. */
import type { ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { ResourceInitFailed } from "./provider";
import { propertiesForProvider } from "./values";
import { structToMap } from "./wire";

const DETAILS = "grpc-status-details-bin";
const INIT_FAILED = "pulumirpc.ErrorResourceInitFailed";

export function initFailureOf(error: ServiceError): ResourceInitFailed | undefined {
	for (const encoded of error.metadata?.get(DETAILS) ?? []) {
		if (typeof encoded === "string") continue;
		for (const detail of Status.deserializeBinary(encoded).getDetailsList()) {
			if (detail.getTypeName() !== INIT_FAILED) continue;
			const failure = ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
			return new ResourceInitFailed(
				error.details,
				failure.getId(),
				propertiesForProvider(structToMap(failure.getProperties())),
				failure.getReasonsList(),
				failure.hasInputs() ? propertiesForProvider(structToMap(failure.getInputs())) : undefined,
			);
		}
	}
	return undefined;
}
