import { migrationEntries } from "../migrations/migration-entries";
import { imageOf } from "../platform/image";
import { type AwsSettings, awsSettings } from "../settings/aws";
import type { Settings } from "../settings/settings";
import type { DesiredRelease } from "./color-record";
import type { ReleaseFiles } from "./release-files";

/** What a stack file and the migration files ask for, as a plan compares it with what a stack has. */
export function desiredRelease(
	settings: Settings,
	{
		migrations,
		reversible,
		requiredSchema,
	}: Pick<ReleaseFiles, "migrations" | "reversible" | "requiredSchema">,
): DesiredRelease {
	const { release, serviceEntry, poolSize, logLevel, debugMode, schemaCompatibility } = settings;
	const image = imageOf(settings);
	return {
		release,
		requiredSchema,
		migrations: migrationEntries(migrations),
		reversible,
		service: {
			entry: serviceEntry,
			...(image !== undefined && { image }),
			poolSize,
			logLevel,
			debugMode,
			schemaCompatibility,
			...(settings.platform === "aws" && tasksOf(awsSettings(settings))),
		},
	};
}

function tasksOf({ serviceTasks, serviceCpu, serviceMemory, serviceArchitecture }: AwsSettings) {
	return {
		...{ tasks: serviceTasks, cpu: serviceCpu, memory: serviceMemory },
		architecture: serviceArchitecture,
	};
}
