import * as pulumi from "@pulumi/pulumi";
import type { ApplicationDatabase } from "../database/application-database";
import type { DatabaseServer } from "../database/server";
import type { ColorServers } from "../replication/environment";
import type { Color } from "../replication/node";
import { featurePaths } from "../settings/feature-paths";
import type { Settings } from "../settings/settings";
import type { ExpectedMigrations } from "./applied-migrations";
import { healthLimits } from "./limits";
import type { HealthSubject } from "./subject";

export interface HealthSubjectArgs {
	server: DatabaseServer;
	database: ApplicationDatabase;
	/** The release's, by version. */
	migrations: ExpectedMigrations;
	/** Where there are two: which one it is, and where both are. */
	color?: { servers: pulumi.Input<ColorServers>; color: Color; generation: number };
}

/** What the checks of a release's database and service have to know; a secret as a whole. */
export function healthSubject(settings: Settings, args: HealthSubjectArgs): pulumi.Output<HealthSubject> {
	const { server, database, migrations, color } = args;
	const expected = Object.entries(migrations).map(([version, { name, checksum }]) => [
		version,
		{ name, checksum },
	]);
	return pulumi.secret(
		pulumi.output({
			statistics: server.statisticsConnection,
			application: database.applicationConnection,
			owner: database.ownerConnection,
			migrations: Object.fromEntries(expected) as ExpectedMigrations,
			paths: featurePaths(settings.featureEndpoints),
			limits: healthLimits(settings),
			...(color && { color }),
		}),
	);
}
