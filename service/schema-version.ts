import { DatabaseError, type Pool } from "pg";
import semver from "semver";
import { z } from "zod";
import type { Compatibility, ServiceConfig } from "./config";
import { Problem } from "./problem";

/** The row that the migration runner keeps about the schema it has made. */
const schemaVersionSchema = z.object({
	version: z.string().refine((text) => semver.valid(text) !== null),
	migrations: z.number().int().min(0),
});

export type SchemaVersion = z.infer<typeof schemaVersionSchema>;

const UNDEFINED_TABLE = "42P01";
const NO_PRIVILEGE = "42501";

/**
 * The version of the schema in the database.
 *
 * @throws Problem 503 when the database has none; the database's own error when it does not answer.
 */
export async function readSchemaVersion(pool: Pool): Promise<SchemaVersion> {
	const rows = await selectVersion(pool);
	if (rows.length === 0) {
		throw noVersion("deployment.schema_version is empty: no migration has been applied yet");
	}
	const parsed = schemaVersionSchema.safeParse(rows[0]);
	if (!parsed.success) {
		throw noVersion("deployment.schema_version holds no valid version: apply the migrations again");
	}
	return parsed.data;
}

async function selectVersion(pool: Pool): Promise<unknown[]> {
	try {
		return (await pool.query("SELECT version, migrations FROM deployment.schema_version")).rows;
	} catch (error) {
		if (error instanceof DatabaseError && error.code === UNDEFINED_TABLE) {
			throw noVersion("the view deployment.schema_version does not exist: apply the migrations first", error);
		}
		if (error instanceof DatabaseError && error.code === NO_PRIVILEGE) {
			throw noVersion("the service's role may not read deployment.schema_version: grant it", error);
		}
		throw error;
	}
}

function noVersion(message: string, cause?: unknown): Problem {
	return new Problem(503, "schema_unknown", message, [], { cause });
}

/** Why a release does not work with the schema that was found; undefined when it does. */
export function incompatibility(
	required: string,
	found: string,
	compatibility: Compatibility,
): string | undefined {
	if (semver.lt(found, required)) {
		return `the schema is ${found}, this release needs ${required}: apply the missing migrations`;
	}
	if (compatibility === "same-major" && semver.major(found) !== semver.major(required)) {
		return `the schema is ${found}, this release accepts ${required} up to the next major version: deploy a release made for it`;
	}
	return undefined;
}

/** What a release can do, by the schema version it was made for. */
export interface Features {
	cameraMetadata: boolean;
	countingResults: boolean;
	/** Batches can be handed in and stored later. */
	queue: boolean;
}

/** The features of the release that `config` describes; decided by what it requires, not by what it finds. */
export function releaseFeatures(config: ServiceConfig): Features {
	return {
		cameraMetadata: semver.gte(config.requiredSchema, "1.1.0"),
		countingResults: semver.gte(config.requiredSchema, "1.2.0"),
		queue: config.queue !== undefined,
	};
}

/** The answer to a request for a feature that came with a later schema. */
export function notInThisRelease(config: ServiceConfig, feature: string, since: string): Problem {
	return new Problem(
		501,
		"not_in_this_release",
		`release ${config.release} works with schema ${config.requiredSchema}; ${feature} came with schema ${since}`,
	);
}
