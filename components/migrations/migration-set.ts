import * as pulumi from "@pulumi/pulumi";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";
import type { MigrationEntry } from "./migration-entries";

export interface MigrationSetArgs {
	/** The database; another name is another database. */
	databaseName: pulumi.Input<string>;
	/** The migration files' folder, from the project's folder. */
	directory: pulumi.Input<string>;
	/** The migrations that shall be applied, no more and no fewer, by version. */
	migrations: Record<string, MigrationEntry>;
	/** Where and how they are applied. A secret, and no cause for an update by itself. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/migrations/migration-set-provider.ts");

/** The migrations applied to one database: adding some applies them, taking some away undoes them. */
export class MigrationSet extends pulumi.dynamic.Resource {
	declare readonly migrations: pulumi.Output<Record<string, MigrationEntry>>;
	/** The catalog's number of the deployment that last worked on this set. */
	declare readonly deploymentId: pulumi.Output<number>;

	constructor(name: string, args: MigrationSetArgs, opts?: pulumi.CustomResourceOptions) {
		const { databaseName, directory, migrations, context } = args;
		super(
			provider,
			name,
			{
				databaseName,
				directory,
				migrations,
				context: pulumi.secret(context),
				deploymentId: undefined,
			},
			opts,
			"migrations",
			"MigrationSet",
		);
	}
}
