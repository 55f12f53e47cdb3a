import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface ServerEnvironmentArgs {
	/** Subnets that servers may be in, in at least two zones, none of them public. */
	subnetIds: pulumi.Input<pulumi.Input<string>[]>;
	/** Begins the names of what is made. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** What the database servers of a stack share: where they may be, and the right to report what they do. */
export class ServerEnvironment extends pulumi.ComponentResource {
	readonly subnetGroupName: pulumi.Output<string>;
	/** The role that a server's operating system reports its load as. */
	readonly monitoringRoleArn: pulumi.Output<string>;

	constructor(name: string, args: ServerEnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:ServerEnvironment", name, {}, opts);
		const { subnetIds, prefix, tags } = args;
		const child = { parent: this };
		const subnets = new aws.rds.SubnetGroup(
			`${name}-subnets`,
			{ name: prefix, description: `Servers of ${prefix}`, subnetIds, tags },
			child,
		);
		const role = new aws.iam.Role(
			`${name}-monitoring`,
			{
				name: `${prefix}-database-monitoring`,
				assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({
					Service: "monitoring.rds.amazonaws.com",
				}),
				tags,
			},
			child,
		);
		const report = new aws.iam.RolePolicyAttachment(
			`${name}-monitoring`,
			{ role: role.name, policyArn: aws.iam.ManagedPolicy.AmazonRDSEnhancedMonitoringRole },
			child,
		);
		this.subnetGroupName = subnets.name;
		this.monitoringRoleArn = pulumi.all([role.arn, report.id]).apply(([arn]) => arn);
		this.registerOutputs({ subnetGroupName: this.subnetGroupName });
	}
}
