import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../platform/aws/firewall";
import type { Cluster } from "./cluster";
import { CONTAINER, containerDefinition } from "./container";

export interface FargateServiceArgs {
	/** Where it runs. */
	cluster: Cluster;
	/** The service's and its task definitions' name on AWS. */
	serviceName: string;
	/** The image to run, by digest, as `service/Dockerfile` makes it. */
	image: pulumi.Input<string>;
	/** Environment variables, none of them secret. */
	environment: pulumi.Input<Record<string, string>>;
	/** Environment variables that a task's start fills from Secrets Manager: name → reference. */
	secrets: pulumi.Input<Record<string, pulumi.Input<string>>>;
	/** Who fetches the image and the secrets, and writes the log. */
	executionRoleArn: pulumi.Input<string>;
	/** Who the service is. */
	taskRoleArn: pulumi.Input<string>;
	/** Subnets of its tasks. */
	subnetIds: pulumi.Input<pulumi.Input<string>[]>;
	/** Who may reach them. */
	securityGroupId: pulumi.Input<string>;
	/** The group of the load balancer that its tasks are put in. */
	targetGroupArn: pulumi.Input<string>;
	/** How many tasks run. */
	tasks: pulumi.Input<number>;
	/** Thousandths of a virtual CPU of a task: 256, 512, 1024 and so on. */
	cpu: pulumi.Input<number>;
	/** Megabytes of a task, as Fargate allows with that CPU. */
	memory: pulumi.Input<number>;
	/** The processor that the image is built for. */
	architecture: pulumi.Input<"X86_64" | "ARM64">;
	/** Seconds until a service that does not become steady is given up. */
	readyTimeoutSeconds: pulumi.Input<number>;
	/** Seconds that a task has to finish its requests. */
	drainTimeoutSeconds: pulumi.Input<number>;
	/** The region that the stack is in. */
	region: pulumi.Input<string>;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/**
 * A colour's service as tasks on Fargate. A change starts new tasks beside the old ones; when those do not become
 * healthy, ECS itself goes back to the old ones and the update fails.
 */
export class FargateService extends pulumi.ComponentResource {
	readonly service: aws.ecs.Service;
	readonly taskDefinition: aws.ecs.TaskDefinition;

	constructor(name: string, args: FargateServiceArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:service:FargateService", name, {}, opts);
		const { cluster, serviceName, image, environment, secrets, region, drainTimeoutSeconds, tags } = args;
		const child = { parent: this };
		const logGroup = cluster.logGroup.name;
		this.taskDefinition = new aws.ecs.TaskDefinition(
			`${name}-task`,
			{
				family: serviceName,
				requiresCompatibilities: ["FARGATE"],
				networkMode: "awsvpc",
				cpu: pulumi.interpolate`${args.cpu}`,
				memory: pulumi.interpolate`${args.memory}`,
				runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: args.architecture },
				executionRoleArn: args.executionRoleArn,
				taskRoleArn: args.taskRoleArn,
				containerDefinitions: pulumi
					.output({ image, environment, secrets, logGroup, region, drainTimeoutSeconds })
					.apply((options) => JSON.stringify([containerDefinition(options)])),
				// An earlier definition is what ECS goes back to.
				skipDestroy: true,
				tags,
			},
			child,
		);
		this.service = new aws.ecs.Service(
			`${name}-service`,
			{
				name: serviceName,
				cluster: cluster.cluster.arn,
				taskDefinition: this.taskDefinition.arn,
				launchType: "FARGATE",
				platformVersion: "LATEST",
				desiredCount: args.tasks,
				deploymentMinimumHealthyPercent: 100,
				deploymentMaximumPercent: 200,
				deploymentCircuitBreaker: { enable: true, rollback: true },
				availabilityZoneRebalancing: "ENABLED",
				healthCheckGracePeriodSeconds: args.readyTimeoutSeconds,
				networkConfiguration: {
					subnets: args.subnetIds,
					securityGroups: [args.securityGroupId],
					assignPublicIp: false,
				},
				loadBalancers: [
					{
						targetGroupArn: args.targetGroupArn,
						containerName: CONTAINER,
						containerPort: PORTS.service,
					},
				],
				enableExecuteCommand: false,
				enableEcsManagedTags: true,
				propagateTags: "SERVICE",
				waitForSteadyState: true,
				tags,
			},
			{ ...child, customTimeouts: { create: "20m", update: "20m", delete: "20m" } },
		);
		this.registerOutputs({ taskDefinition: this.taskDefinition.arn });
	}
}
