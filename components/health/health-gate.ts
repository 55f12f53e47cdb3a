import * as pulumi from "@pulumi/pulumi";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";
import type { InPlacePlan } from "../release/in-place";
import type { Route } from "../traffic/route";
import type { HealthSubject } from "./subject";

export interface HealthGateArgs {
	/** What carries the traffic to the release. */
	route: Route;
	/** The order of this update's halves: it says whether the traffic may go back. */
	plan: pulumi.Input<InPlacePlan>;
	/** The release that has to answer there. */
	release: pulumi.Input<string>;
	/** Seconds until a release that is not healthy is given up. */
	timeoutSeconds: pulumi.Input<number>;
	/** The catalog's number of the deployment that last migrated: the database is checked anew after it. */
	migratedBy: pulumi.Input<number>;
	/** What is checked, and from where on it is not well. A secret. */
	subject: pulumi.Input<HealthSubject>;
	/** When the migrated schema last passed its tests, where it has any. */
	testedAt?: pulumi.Input<string>;
	/** Whether the deployment is done once the release is healthy. */
	completes: boolean;
	/** For undoing the release's migrations when it is not healthy. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/health/health-gate-provider.ts");

/**
 * The release passes its checks at its public address, or the update fails. A refresh shows how it
 * is today.
 */
export class HealthGate extends pulumi.dynamic.Resource {
	/** When the release was found healthy, in ISO 8601. */
	declare readonly checkedAt: pulumi.Output<string>;
	/** PASS, WARNING or FAIL of each check, as last found. */
	declare readonly statuses: pulumi.Output<Record<string, string>>;

	constructor(name: string, args: HealthGateArgs, opts?: pulumi.CustomResourceOptions) {
		const { context, subject, route, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				url: route.publicUrl,
				targetUrl: route.targetUrl,
				previousGroup: route.previousGroup,
				previousUrl: route.previousUrl,
				routedBy: route.deploymentId,
				targetGroup: route.targetGroup,
				routerFile: route.stateFile,
				subject: pulumi.secret(subject),
				context: pulumi.secret(context),
				checkedAt: undefined,
				statuses: undefined,
			},
			opts,
			"health",
			"HealthGate",
		);
	}
}
