import type { ClientBase } from "pg";
import type { EnvironmentType } from "./deployments";

/** The settings of an environment as the catalog mirrors them. None of them is secret. */
export interface EnvironmentMirror {
	name: string;
	type: EnvironmentType;
	databaseHost: string;
	databasePort: number;
	databaseName: string;
	databaseUser: string;
	poolSize: number;
	maxConnections: number;
	backupSchedule: string;
	monitoring: boolean;
	alerting: boolean;
	/** Everything else worth keeping, such as log level, debug mode, SSL mode, platform and strategy. */
	config: Record<string, string | number | boolean>;
}

/**
 * Makes the environment's one active row equal to its settings. Returns whether anything changed; an unchanged row is
 * not written.
 */
export async function mirrorEnvironment(client: ClientBase, mirror: EnvironmentMirror): Promise<boolean> {
	const result = await client.query(
		`INSERT INTO environment_configs AS current (environment_name, environment_type, database_host, database_port,
			database_name, database_user, connection_pool_size, max_connections, backup_schedule, monitoring_enabled,
			alerting_enabled, config_data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (environment_name) WHERE is_active DO UPDATE SET
			environment_type = EXCLUDED.environment_type,
			database_host = EXCLUDED.database_host,
			database_port = EXCLUDED.database_port,
			database_name = EXCLUDED.database_name,
			database_user = EXCLUDED.database_user,
			connection_pool_size = EXCLUDED.connection_pool_size,
			max_connections = EXCLUDED.max_connections,
			backup_schedule = EXCLUDED.backup_schedule,
			monitoring_enabled = EXCLUDED.monitoring_enabled,
			alerting_enabled = EXCLUDED.alerting_enabled,
			config_data = EXCLUDED.config_data
		WHERE (current.environment_type, current.database_host, current.database_port, current.database_name,
				current.database_user, current.connection_pool_size, current.max_connections, current.backup_schedule,
				current.monitoring_enabled, current.alerting_enabled, current.config_data)
			IS DISTINCT FROM (EXCLUDED.environment_type, EXCLUDED.database_host, EXCLUDED.database_port,
				EXCLUDED.database_name, EXCLUDED.database_user, EXCLUDED.connection_pool_size, EXCLUDED.max_connections,
				EXCLUDED.backup_schedule, EXCLUDED.monitoring_enabled, EXCLUDED.alerting_enabled, EXCLUDED.config_data)`,
		[
			mirror.name,
			mirror.type,
			mirror.databaseHost,
			mirror.databasePort,
			mirror.databaseName,
			mirror.databaseUser,
			mirror.poolSize,
			mirror.maxConnections,
			mirror.backupSchedule,
			mirror.monitoring,
			mirror.alerting,
			JSON.stringify(mirror.config),
		],
	);
	return result.rowCount === 1;
}
