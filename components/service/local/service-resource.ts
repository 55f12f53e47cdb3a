import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../../provider/late";
import type { ServiceArgs } from "../service";

export interface LocalServiceArgs extends Omit<ServiceArgs, "color" | "image" | "reachedDatabase"> {
	/** Folder of the service's processes, from the project's folder. */
	directory: pulumi.Input<string>;
	/** The router's state file: what it routes to is not a leftover. */
	routerFile: pulumi.Input<string>;
}

const provider = lateProvider("components/service/local/service-provider.ts");

/**
 * The service as a process on this machine. A change starts a second one beside the first, which ends only when the
 * update has moved the traffic and is over; one that does not become ready changes nothing.
 */
export class LocalService extends pulumi.dynamic.Resource {
	declare readonly url: pulumi.Output<string>;
	declare readonly instance: pulumi.Output<string>;

	constructor(name: string, args: LocalServiceArgs, opts?: pulumi.CustomResourceOptions) {
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
