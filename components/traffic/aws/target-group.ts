import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../platform/aws/firewall";

export interface TargetGroupArgs {
	/** The network of the services. */
	vpcId: pulumi.Input<string>;
	/** Its name on AWS, of at most 32 characters. */
	groupName: string;
	/** Seconds that requests in flight have before a task that leaves is cut off. */
	deregistrationDelaySeconds: pulumi.Input<number>;
	/** On it. */
	tags: Record<string, string>;
}

/** Declares what the load balancer knows of one colour's tasks. */
export function declareTargetGroup(
	name: string,
	{ vpcId, groupName, deregistrationDelaySeconds, tags }: TargetGroupArgs,
	parent: pulumi.Resource,
): aws.lb.TargetGroup {
	return new aws.lb.TargetGroup(
		name,
		{
			name: groupName,
			vpcId,
			port: PORTS.service,
			protocol: "HTTP",
			targetType: "ip",
			deregistrationDelay: deregistrationDelaySeconds,
			loadBalancingAlgorithmType: "least_outstanding_requests",
			healthCheck: {
				path: "/readyz",
				matcher: "200",
				interval: 10,
				timeout: 5,
				healthyThreshold: 2,
				unhealthyThreshold: 3,
			},
			tags,
		},
		{ parent },
	);
}
