import * as pulumi from "@pulumi/pulumi";
import type { DatabaseServer } from "../database/server";
import { type Settings, withoutSecrets } from "../settings/settings";
import type { EnvironmentMirror } from "./environments";

/** The settings of an update as the catalog shows them. */
export function environmentMirror(
	stack: string,
	settings: Settings,
	server: DatabaseServer,
	database: { databaseName: pulumi.Input<string>; applicationUser: pulumi.Input<string> },
): pulumi.Output<EnvironmentMirror> {
	const { environment, poolSize, maxConnections, backupSchedule, monitoring, alerting, stages, ...others } =
		withoutSecrets(settings);
	const shown = { ...others, stages: stages.map(({ name }) => name) };
	const config = Object.fromEntries(
		Object.entries(shown).flatMap(([key, value]) => {
			const text = Array.isArray(value) ? value.join(", ") : value;
			return text === undefined || text === "" ? [] : [[key, text]];
		}),
	);
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
		config,
	});
}
