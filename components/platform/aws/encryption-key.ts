import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface EncryptionKeyArgs {
	/** Begins the key's alias. */
	prefix: string;
	/** The region that the stack is in. */
	region: pulumi.Input<string>;
	/** Whether the key stays when the stack is destroyed: no snapshot that it has encrypted can be restored without it. */
	outlivesStack: boolean;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** Days in which a deleted key can be taken back: what it has encrypted is lost with it. */
const RECOVERY_DAYS = 7;

/** The key that a stack's databases, snapshots, secrets, logs and notifications are encrypted with. */
export class EncryptionKey extends pulumi.ComponentResource {
	readonly arn: pulumi.Output<string>;

	constructor(name: string, args: EncryptionKeyArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:platform:EncryptionKey", name, {}, opts);
		const { prefix, region, outlivesStack, tags } = args;
		const account = aws.getCallerIdentityOutput({}, { parent: this }).accountId;
		const partition = aws.getPartitionOutput({}, { parent: this }).partition;
		const key = new aws.kms.Key(
			`${name}-key`,
			{
				description: `What the stack ${prefix} stores`,
				enableKeyRotation: true,
				deletionWindowInDays: RECOVERY_DAYS,
				policy: pulumi
					.all([account, partition, region])
					.apply((where) => JSON.stringify(keyPolicy(...where, prefix))),
				tags,
			},
			{ parent: this, retainOnDelete: outlivesStack },
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
