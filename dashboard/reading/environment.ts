import type { ClientBase } from "pg";
import type { Environment } from "../state";

interface Row {
	environment_type: string;
	database_host: string;
	database_port: number;
	database_name: string;
	database_user: string;
	connection_pool_size: number;
	max_connections: number;
	backup_schedule: string;
	monitoring_enabled: boolean;
	alerting_enabled: boolean;
	config_data: Environment["config"];
}

/** The stack's settings as the catalog mirrors them; null before the first update. */
export async function readEnvironment(client: ClientBase, stack: string): Promise<Environment | null> {
	const { rows } = await client.query<Row>(
		`SELECT environment_type, database_host, database_port, database_name, database_user, connection_pool_size,
			max_connections, backup_schedule, monitoring_enabled, alerting_enabled, config_data
		FROM environment_configs WHERE environment_name = $1 AND is_active`,
		[stack],
	);
	const row = rows[0];
	return row === undefined
		? null
		: {
				stack,
				type: row.environment_type,
				databaseHost: row.database_host,
				databasePort: row.database_port,
				databaseName: row.database_name,
				databaseUser: row.database_user,
				poolSize: row.connection_pool_size,
				maxConnections: row.max_connections,
				backupSchedule: row.backup_schedule,
				monitoring: row.monitoring_enabled,
				alerting: row.alerting_enabled,
				config: row.config_data,
			};
}
