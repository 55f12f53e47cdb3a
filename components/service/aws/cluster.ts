import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface ClusterArgs {
	/** Days that the services' output is kept, as CloudWatch allows: 7, 14, 30, 90, 365 and others. */
	logRetentionDays: pulumi.Input<number>;
	/** The key that the output is encrypted with. */
	keyArn: pulumi.Input<string>;
	/** Its name. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** Where both colours' tasks run, and where their output is kept. */
export class Cluster extends pulumi.ComponentResource {
	readonly cluster: aws.ecs.Cluster;
	readonly logGroup: aws.cloudwatch.LogGroup;

	constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:service:Cluster", name, {}, opts);
		const { logRetentionDays, keyArn, prefix, tags } = args;
		const child = { parent: this };
		this.logGroup = new aws.cloudwatch.LogGroup(
			`${name}-logs`,
			{ name: `/ecs/${prefix}`, retentionInDays: logRetentionDays, kmsKeyId: keyArn, tags },
			child,
		);
		this.cluster = new aws.ecs.Cluster(
			name,
			{ name: prefix, settings: [{ name: "containerInsights", value: "enabled" }], tags },
			child,
		);
		this.registerOutputs({});
	}
}
