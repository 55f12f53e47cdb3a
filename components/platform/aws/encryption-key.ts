import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface EncryptionKeyArgs {
	/** Begins the key's alias. */
	prefix: string;
	/** The region that the stack is in. */
	region: pulumi.Input<string>;
	/** Days between the key's deletion and its end, in which it can be taken back; 7 to 30. */
	deletionWindowDays: pulumi.Input<number>;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** The key that a stack's databases, snapshots, secrets, logs and notifications are encrypted with. */
export class EncryptionKey extends pulumi.ComponentResource {
	readonly arn: pulumi.Output<string>;

	constructor(name: string, args: EncryptionKeyArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:platform:EncryptionKey", name, {}, opts);
		const { prefix, region, deletionWindowDays, tags } = args;
		const account = aws.getCallerIdentityOutput({}, { parent: this }).accountId;
		const partition = aws.getPartitionOutput({}, { parent: this }).partition;
		const key = new aws.kms.Key(
			`${name}-key`,
			{
				description: `What the stack ${prefix} stores`,
				enableKeyRotation: true,
				deletionWindowInDays: deletionWindowDays,
				policy: pulumi
					.all([account, partition, region])
					.apply((where) => JSON.stringify(keyPolicy(...where, prefix))),
				tags,
			},
			{ parent: this },
		);
		new aws.kms.Alias(`${name}-alias`, { name: `alias/${prefix}`, targetKeyId: key.keyId }, { parent: this });
		this.arn = key.arn;
		this.registerOutputs({ arn: this.arn });
	}
}

/** Who may use a stack's key: who the account's IAM policies let, and the services that write for the stack. */
export function keyPolicy(account: string, partition: string, region: string, prefix: string) {
	return {
		Version: "2012-10-17",
		Statement: [
			{
				Sid: "Account",
				Effect: "Allow",
				Principal: { AWS: `arn:${partition}:iam::${account}:root` },
				Action: "kms:*",
				Resource: "*",
			},
			{
				Sid: "Logs",
				Effect: "Allow",
				Principal: { Service: `logs.${region}.amazonaws.com` },
				Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
				Resource: "*",
				Condition: {
					ArnLike: {
						"kms:EncryptionContext:aws:logs:arn": `arn:${partition}:logs:${region}:${account}:log-group:*${prefix}*`,
					},
				},
			},
			{
				Sid: "Alarms",
				Effect: "Allow",
				Principal: { Service: ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"] },
				Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
				Resource: "*",
				Condition: { StringEquals: { "aws:SourceAccount": account } },
			},
		],
	};
}
