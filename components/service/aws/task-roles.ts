import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface TaskRolesArgs {
	/** The secrets that a task's start may read. */
	secretArns: pulumi.Input<string>[];
	/** The key that they are encrypted with. */
	keyArn: pulumi.Input<string>;
	/** The log group that a task may write to. */
	logGroupArn: pulumi.Input<string>;
	/** The region that the stack is in. */
	region: pulumi.Input<string>;
	/** The repository of the image, where it is Amazon's. */
	repositoryArn?: pulumi.Input<string | undefined>;
	/** Begins the names of the roles. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** Who starts a colour's tasks, and who they are: nobody with any right on AWS. */
export class TaskRoles extends pulumi.ComponentResource {
	/** Fetches the image and the secrets, and writes the log. */
	readonly executionRoleArn: pulumi.Output<string>;
	/** The service's own, without any right. */
	readonly taskRoleArn: pulumi.Output<string>;

	constructor(name: string, args: TaskRolesArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:service:TaskRoles", name, {}, opts);
		const { secretArns, keyArn, logGroupArn, region, repositoryArn, prefix, tags } = args;
		const child = { parent: this };
		const role = (what: string) =>
			new aws.iam.Role(
				`${name}-${what}`,
				{
					name: `${prefix}-${what}`,
					assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "ecs-tasks.amazonaws.com" }),
					tags,
				},
				child,
			);
		const execution = role("execution");
		const rights = new aws.iam.RolePolicy(
			`${name}-execution`,
			{
				role: execution.name,
				policy: pulumi
					.all([secretArns, keyArn, logGroupArn, region, repositoryArn])
					.apply(([secrets, key, logGroup, where, repository]) =>
						JSON.stringify(executionPolicy(secrets, key, logGroup, where, repository)),
					),
			},
			child,
		);
		this.executionRoleArn = pulumi.all([execution.arn, rights.id]).apply(([arn]) => arn);
		this.taskRoleArn = role("task").arn;
		this.registerOutputs({});
	}
}

function executionPolicy(
	secretArns: string[],
	keyArn: string,
	logGroupArn: string,
	region: string,
	repositoryArn: string | undefined,
) {
	const allow = (Action: string[], Resource: string | string[], Condition?: object) => ({
		Effect: "Allow",
		Action,
		Resource,
		...(Condition && { Condition }),
	});
	return {
		Version: "2012-10-17",
		Statement: [
			allow(["secretsmanager:GetSecretValue"], secretArns),
			allow(["kms:Decrypt"], keyArn, {
				StringEquals: { "kms:ViaService": `secretsmanager.${region}.amazonaws.com` },
			}),
			allow(["logs:CreateLogStream", "logs:PutLogEvents"], `${logGroupArn}:*`),
			...(repositoryArn === undefined
				? []
				: [
						// It belongs to no repository.
						allow(["ecr:GetAuthorizationToken"], "*"),
						allow(
							["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
							repositoryArn,
						),
					]),
		],
	};
}
