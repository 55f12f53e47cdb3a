import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";

export interface ServiceReadyArgs {
	/** Where the deployment reaches the service. */
	url: pulumi.Input<string>;
	/** What runs it: when that is another one, it is waited for anew. */
	instance: pulumi.Input<string>;
	/** What it calls itself. */
	release: pulumi.Input<string>;
	/** How the platform shows what it has logged, in words. */
	logs: pulumi.Input<string>;
	/** Its database, as the deployment reaches it. */
	database: pulumi.Input<Connection>;
	/** Where the server's statistics of statements are read: they count from the service's start. */
	statistics: pulumi.Input<Connection>;
	/** Seconds until a service that does not become ready is given up. */
	readyTimeoutSeconds: pulumi.Input<number>;
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/service/service-ready-provider.ts");

/** That a service which the platform runs is ready, on record as the step of the deployment that it is. */
export class ServiceReady extends pulumi.dynamic.Resource {
	/** The address, once it is ready. */
	declare readonly url: pulumi.Output<string>;
	declare readonly instance: pulumi.Output<string>;

	constructor(name: string, args: ServiceReadyArgs, opts?: pulumi.CustomResourceOptions) {
		const { database, statistics, context, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				database: pulumi.secret(database),
				statistics: pulumi.secret(statistics),
				context: pulumi.secret(context),
			},
			opts,
			"service",
			"ServiceReady",
		);
	}
}
