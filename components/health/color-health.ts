import * as pulumi from "@pulumi/pulumi";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";

export interface ColorHealthArgs {
	/** The service's own address. */
	url: pulumi.Input<string>;
	release: pulumi.Input<string>;
	/** What the router calls the service. */
	targetGroup: pulumi.Input<string>;
	/** The catalog's number of the deployment that last migrated the colour's database. */
	migratedBy: pulumi.Input<number>;
	/** Seconds until a service that is not healthy is given up. */
	timeoutSeconds: pulumi.Input<number>;
	/** Where the deployment is written down. A secret. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/health/color-health-provider.ts");

/** A colour's service answers at its own address and its database does, or the update ends before it gets traffic. */
export class ColorHealth extends pulumi.dynamic.Resource {
	/** When it was found healthy, in ISO 8601. */
	declare readonly checkedAt: pulumi.Output<string>;

	constructor(name: string, args: ColorHealthArgs, opts?: pulumi.CustomResourceOptions) {
		const { context, ...rest } = args;
		super(
			provider,
			name,
			{ ...rest, context: pulumi.secret(context), checkedAt: undefined },
			opts,
			"health",
			"ColorHealth",
		);
	}
}
