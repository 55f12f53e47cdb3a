import * as pulumi from "@pulumi/pulumi";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";

export interface RouteArgs {
	/** The router's public address. */
	publicUrl: pulumi.Input<string>;
	/** The router's state file, from the project's folder. */
	stateFile: pulumi.Input<string>;
	/** The target group that gets the traffic. */
	targetGroup: pulumi.Input<string>;
	/** The service's own address. */
	targetUrl: pulumi.Input<string>;
	/** The release that has to answer through the router. */
	release: pulumi.Input<string>;
	/** Seconds until a release that does not answer through the router is given up and the traffic goes back. */
	timeoutSeconds: pulumi.Input<number>;
	/** For undoing the release's migrations when the traffic cannot be moved. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/traffic/local/route-provider.ts");

/** Which service the router sends the traffic to. */
export class Route extends pulumi.dynamic.Resource {
	/** Where the traffic went before; empty the first time. */
	declare readonly previousGroup: pulumi.Output<string>;
	declare readonly previousUrl: pulumi.Output<string>;
	/** The catalog's number of the deployment that last moved the traffic. */
	declare readonly deploymentId: pulumi.Output<number>;
	declare readonly targetUrl: pulumi.Output<string>;
	declare readonly targetGroup: pulumi.Output<string>;
	/** The public address. */
	declare readonly publicUrl: pulumi.Output<string>;
	/** The router's state file, from the project's folder. */
	declare readonly stateFile: pulumi.Output<string>;

	constructor(name: string, args: RouteArgs, opts?: pulumi.CustomResourceOptions) {
		const { context, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				context: pulumi.secret(context),
				previousGroup: undefined,
				previousUrl: undefined,
				deploymentId: undefined,
			},
			opts,
			"traffic",
			"Route",
		);
	}
}
