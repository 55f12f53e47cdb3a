import * as pulumi from "@pulumi/pulumi";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";
import type { HealthSubject } from "./subject";

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
	/** What is checked, and from where on it is not well. A secret. */
	subject: pulumi.Input<HealthSubject>;
	/** Where the deployment is written down. A secret. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/health/color-health-provider.ts");

/**
 * A colour's service and database pass their checks, or the update ends before it gets traffic. A refresh shows how they
 * are today.
 */
export class ColorHealth extends pulumi.dynamic.Resource {
	/** When it was found healthy, in ISO 8601. */
	declare readonly checkedAt: pulumi.Output<string>;
	/** PASS, WARNING or FAIL of each check, as last found. */
	declare readonly statuses: pulumi.Output<Record<string, string>>;

	constructor(name: string, args: ColorHealthArgs, opts?: pulumi.CustomResourceOptions) {
		const { context, subject, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				subject: pulumi.secret(subject),
				context: pulumi.secret(context),
				checkedAt: undefined,
				statuses: undefined,
			},
			opts,
			"health",
			"ColorHealth",
		);
	}
}
