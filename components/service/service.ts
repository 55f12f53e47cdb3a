import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";

export interface ServiceArgs {
	/** Folder of the service's processes, from the project's folder. */
	directory: pulumi.Input<string>;
	/** The module to run, from the project's folder. */
	entry: pulumi.Input<string>;
	/** What the service calls itself. */
	release: pulumi.Input<string>;
	/** The schema version that the release needs. */
	requiredSchema: pulumi.Input<string>;
	/** Which newer schemas the release runs on. */
	schemaCompatibility: pulumi.Input<string>;
	/** Connections in the service's pool. */
	poolSize: pulumi.Input<number>;
	logLevel: pulumi.Input<string>;
	debugMode: pulumi.Input<boolean>;
	/** As the application role. */
	database: pulumi.Input<Connection>;
	/** Where the server's statistics of statements are read: they count from the service's start. */
	statistics: pulumi.Input<Connection>;
	/** The queue, as the role that services use. */
	queue: pulumi.Input<Connection>;
	/** What tells what this service keeps in its cache from what another colour or generation keeps. */
	cacheNamespace: pulumi.Input<string>;
	/** The router's state file: what it routes to is not a leftover. */
	routerFile: pulumi.Input<string>;
	/** Seconds until a service that does not become ready is given up. */
	readyTimeoutSeconds: pulumi.Input<number>;
	/** Seconds that a service has to finish its requests. */
	drainTimeoutSeconds: pulumi.Input<number>;
	/** For undoing the release's migrations when the service does not come up. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/service/local/service-provider.ts");

/**
 * The service as a process on this machine. A change starts a second one beside the first, which ends only when the
 * update has moved the traffic and is over; one that does not become ready changes nothing.
 */
export class Service extends pulumi.dynamic.Resource {
	declare readonly url: pulumi.Output<string>;
	declare readonly instance: pulumi.Output<string>;

	constructor(name: string, args: ServiceArgs, opts?: pulumi.CustomResourceOptions) {
		const { database, statistics, queue, context, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				database: pulumi.secret(database),
				statistics: pulumi.secret(statistics),
				queue: pulumi.secret(queue),
				context: pulumi.secret(context),
				url: undefined,
				instance: undefined,
			},
			opts,
			"service",
			"Service",
		);
	}
}
