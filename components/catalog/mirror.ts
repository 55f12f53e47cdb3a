import * as pulumi from "@pulumi/pulumi";
import type { ApplicationDatabase } from "../database/application-database";
import type { DatabaseServer } from "../database/server";
import type { Settings } from "../settings/settings";
import type { EnvironmentMirror } from "./environments";

/** The settings of an update as the catalog shows them. */
export function environmentMirror(
	stack: string,
	settings: Settings,
	server: DatabaseServer,
	database: ApplicationDatabase,
): pulumi.Output<EnvironmentMirror> {
	const { environment, poolSize, maxConnections, backupSchedule, monitoring, alerting, ...others } = settings;
	return pulumi.output({
		name: stack,
		type: environment,
		databaseHost: server.host,
		databasePort: server.port,
		databaseName: database.databaseName,
		databaseUser: database.applicationUser,
		poolSize,
		maxConnections,
		backupSchedule,
		monitoring,
		alerting,
		config: Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)),
	});
}
