import { join } from "node:path/posix";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../database/connection";
import { PORTS } from "../../platform/aws/firewall";
import { RoleSecret } from "../../secrets/aws/role-secret";
import { serviceEnvironment, serviceSettingsSchema } from "../environment";
import type { ServiceArgs } from "../service";
import { ServiceReady } from "../service-ready";
import { FargateService, type FargateServiceArgs } from "./fargate-service";
import { repositoryArn } from "./image-repository";
import { TaskRoles } from "./task-roles";

type Placed = Pick<
	FargateServiceArgs,
	| "cluster"
	| "subnetIds"
	| "securityGroupId"
	| "targetGroupArn"
	| "tasks"
	| "cpu"
	| "memory"
	| "architecture"
	| "region"
	| "tags"
>;

export interface ColorServiceArgs
	extends Omit<ServiceArgs, "entry" | "image" | "color" | "tasks" | "cpu" | "memory" | "architecture">,
		Placed {
	/** The image to run, by digest. */
	image: pulumi.Input<string>;
	/** Begins the names of what is made: the stack and the colour, such as `counting-production-blue`. */
	prefix: string;
	/** Begins the names of its secrets, such as `counting-production/blue`. */
	secretPrefix: string;
	/** Days in which a deleted secret can be taken back; 0 deletes it at once. */
	secretRecoveryDays: pulumi.Input<number>;
	/** The key that its secrets are encrypted with. */
	keyArn: pulumi.Input<string>;
	/** Where the deployment reaches it. */
	url: pulumi.Input<string>;
}

/** Where the image has the project's files, as `service/Dockerfile` makes it. */
const IMAGE_ROOT = "/service";

/** A colour's service on Fargate, with its passwords in Secrets Manager and roles of its own. */
export class ColorService extends pulumi.ComponentResource {
	/** That it is ready, on record. */
	readonly ready: ServiceReady;

	constructor(name: string, args: ColorServiceArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:service:ColorService", name, {}, opts);
		const { cluster, image, keyArn, prefix, secretPrefix, region, tags, readyTimeoutSeconds } = args;
		const child = { parent: this };
		const secret = (role: "application" | "queue", connection: pulumi.Input<Connection>) =>
			new RoleSecret(
				`${name}-${role}`,
				{
					...{ secretName: `${secretPrefix}/${role}`, connection, keyArn, tags },
					recoveryDays: args.secretRecoveryDays,
				},
				child,
			);
		const application = secret("application", args.database);
		const queue = secret("queue", args.queue);
		const roles = new TaskRoles(
			`${name}-roles`,
			{
				...{ secretArns: [application.arn, queue.arn], keyArn, region, prefix, tags },
				logGroupArn: cluster.logGroup.arn,
				repositoryArn: pulumi.output(image).apply(repositoryArn),
			},
			child,
		);
		const { service } = new FargateService(
			`${name}-fargate`,
			{
				...{ cluster, serviceName: prefix, image, region, tags, readyTimeoutSeconds },
				environment: environment(args),
				secrets: {
					PGPASSWORD: application.passwordReference,
					QUEUE_PGPASSWORD: queue.passwordReference,
				},
				executionRoleArn: roles.executionRoleArn,
				taskRoleArn: roles.taskRoleArn,
				...{ subnetIds: args.subnetIds, securityGroupId: args.securityGroupId },
				targetGroupArn: args.targetGroupArn,
				...{ tasks: args.tasks, cpu: args.cpu, memory: args.memory, architecture: args.architecture },
				drainTimeoutSeconds: args.drainTimeoutSeconds,
			},
			child,
		);
		this.ready = new ServiceReady(
			`${name}-ready`,
			{
				url: args.url,
				// Known once the service is steady with it.
				instance: service.taskDefinition.apply((arn) => arn ?? prefix),
				release: args.release,
				logs: pulumi.interpolate`aws logs tail ${cluster.logGroup.name}`,
				database: args.reachedDatabase,
				statistics: args.statistics,
				readyTimeoutSeconds,
				context: args.context,
			},
			child,
		);
		this.registerOutputs({ url: this.ready.url });
	}
}

/** Not secret: passwords are not in it, though the connections are secret as a whole. */
function environment(args: ColorServiceArgs): pulumi.Output<Record<string, string>> {
	const { release, requiredSchema, schemaCompatibility, poolSize, logLevel, debugMode, cacheNamespace } =
		args;
	const told = pulumi.output({
		settings: {
			...{ release, requiredSchema, schemaCompatibility, poolSize, logLevel, debugMode, cacheNamespace },
			database: pulumi.output(args.database).apply(inImage),
			queue: pulumi.output(args.queue).apply(inImage),
		},
		drainTimeoutSeconds: args.drainTimeoutSeconds,
	});
	return pulumi.unsecret(
		told.apply(
			({ settings, drainTimeoutSeconds }): Record<string, string> => ({
				...serviceEnvironment(serviceSettingsSchema.parse(settings), drainTimeoutSeconds),
				HOST: "0.0.0.0",
				PORT: String(PORTS.service),
			}),
		),
	);
}

function inImage(connection: Connection): Connection {
	const { sslRootCert } = connection;
	return sslRootCert === undefined
		? connection
		: { ...connection, sslRootCert: join(IMAGE_ROOT, sslRootCert) };
}
