import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface AlarmTopicArgs {
	/** The key that messages are encrypted with. */
	keyArn: pulumi.Input<string>;
	/** Who is written to; each address has to confirm that once. */
	emails: string[];
	/** The topic's name. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** Where a stack's alarms go. */
export class AlarmTopic extends pulumi.ComponentResource {
	readonly arn: pulumi.Output<string>;

	constructor(name: string, args: AlarmTopicArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:monitoring:AlarmTopic", name, {}, opts);
		const { keyArn, emails, prefix, tags } = args;
		const topic = new aws.sns.Topic(
			`${name}-topic`,
			{ name: `${prefix}-alarms`, kmsMasterKeyId: keyArn, tags },
			{ parent: this },
		);
		emails.forEach((endpoint, index) => {
			new aws.sns.TopicSubscription(
				`${name}-email-${index}`,
				{ topic: topic.arn, protocol: "email", endpoint },
				{ parent: this },
			);
		});
		this.arn = topic.arn;
		this.registerOutputs({ arn: this.arn });
	}
}
