import { z } from "zod";
import { type Connection, connectionSchema } from "../database/connection";

/** What a service is told, whatever the platform. */
export const serviceSettingsSchema = z.object({
	release: z.string(),
	/** The schema version that the release needs. */
	requiredSchema: z.string(),
	schemaCompatibility: z.enum(["same-major", "any-newer"]),
	poolSize: z.number().int(),
	logLevel: z.enum(["debug", "info", "warn", "error"]),
	debugMode: z.boolean(),
	database: connectionSchema,
	/** Where the batches wait that no colour has stored yet. */
	queue: connectionSchema,
	cacheNamespace: z.string(),
});

export type ServiceSettings = z.infer<typeof serviceSettingsSchema>;

/**
 * The environment variables of a service, but for its address and its passwords.
 *
 * @param drainTimeoutSeconds seconds that it has to finish its requests
 */
export function serviceEnvironment(
	settings: ServiceSettings,
	drainTimeoutSeconds: number,
): Record<string, string> {
	return {
		DRAIN_TIMEOUT_SECONDS: String(drainTimeoutSeconds),
		RELEASE: settings.release,
		REQUIRED_SCHEMA: settings.requiredSchema,
		SCHEMA_COMPATIBILITY: settings.schemaCompatibility,
		POOL_SIZE: String(settings.poolSize),
		LOG_LEVEL: settings.logLevel,
		DEBUG_MODE: String(settings.debugMode),
		CACHE_NAMESPACE: settings.cacheNamespace,
		...databaseEnvironment("", settings.database),
		...databaseEnvironment("QUEUE_", settings.queue),
	};
}

function databaseEnvironment(prefix: string, connection: Connection): Record<string, string> {
	const { host, port, database, user, sslMode, sslRootCert } = connection;
	return {
		[`${prefix}PGHOST`]: host,
		[`${prefix}PGPORT`]: String(port),
		[`${prefix}PGDATABASE`]: database,
		[`${prefix}PGUSER`]: user,
		[`${prefix}PGSSLMODE`]: sslMode,
		...(sslRootCert !== undefined && { [`${prefix}PGSSLROOTCERT`]: sslRootCert }),
	};
}
