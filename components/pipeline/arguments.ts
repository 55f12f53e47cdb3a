import * as pulumi from "@pulumi/pulumi";
import type { Catalog } from "../catalog/catalog";
import type { ApplicationDatabase } from "../database/application-database";
import type { StackNames } from "../release/names";
import { type Settings, withoutSecrets } from "../settings/settings";
import type { DeploymentContext } from "./context";
import { plannedStages } from "./stage-list";

/** What the providers that work on a deployment share; a secret as a whole. */
export function deploymentContext(
	settings: Settings,
	names: StackNames,
	catalog: Catalog,
	database: Pick<ApplicationDatabase, "ownerConnection" | "databaseName">,
): pulumi.Output<DeploymentContext> {
	return pulumi.secret(
		pulumi.output({
			environment: settings.environment,
			pipelineName: names.database,
			release: settings.release,
			stages: plannedStages(settings.strategy, settings.stages),
			settings: Object.fromEntries(
				Object.entries(withoutSecrets(settings)).filter(([, value]) => value !== undefined),
			),
			catalog: catalog.connection,
			target: database.ownerConnection,
			targetName: database.databaseName,
			backupDirectory: names.backupDirectory,
			onFailure: settings.strategy === "in-place" ? ("undo" as const) : ("keep" as const),
			...(settings.notifyUrl !== undefined && {
				notify: {
					url: settings.notifyUrl,
					format: settings.notifyFormat,
					...(settings.notifySecret !== undefined && { secret: settings.notifySecret }),
				},
			}),
			migrations: {
				lockTimeoutMs: settings.lockTimeoutSeconds * 1000,
				lockRetries: settings.lockRetries,
				statementTimeoutMs: settings.statementTimeoutSeconds * 1000,
				advisoryLockTimeoutMs: settings.migrationQueueSeconds * 1000,
				allowOutOfOrder: settings.allowOutOfOrder,
			},
		}),
	);
}
