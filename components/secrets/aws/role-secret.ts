import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../database/connection";

export interface RoleSecretArgs {
	/** The secret's name, such as `counting-production/green/application`. */
	secretName: pulumi.Input<string>;
	/** How the role reaches its database; stored in the form that Secrets Manager's own rotation knows. */
	connection: pulumi.Input<Connection>;
	/** The key that encrypts it. */
	keyArn: pulumi.Input<string>;
	/** Days in which a deleted secret can be taken back; 0 deletes it at once. */
	recoveryDays: pulumi.Input<number>;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** The password of a database role in Secrets Manager, with the version that services are started with. */
export class RoleSecret extends pulumi.ComponentResource {
	readonly arn: pulumi.Output<string>;
	/** What a task definition names to get the password of just this version. */
	readonly passwordReference: pulumi.Output<string>;

	constructor(name: string, args: RoleSecretArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:secrets:RoleSecret", name, {}, opts);
		const { secretName, connection, keyArn, recoveryDays, tags } = args;
		const secret = new aws.secretsmanager.Secret(
			name,
			{ name: secretName, kmsKeyId: keyArn, recoveryWindowInDays: recoveryDays, tags },
			{ parent: this },
		);
		const version = new aws.secretsmanager.SecretVersion(
			`${name}-version`,
			{ secretId: secret.id, secretString: pulumi.secret(pulumi.output(connection).apply(secretText)) },
			{ parent: this },
		);
		this.arn = secret.arn;
		this.passwordReference = pulumi.interpolate`${secret.arn}:password::${version.versionId}`;
		this.registerOutputs({ arn: this.arn });
	}
}

function secretText({ host, port, database, user, password }: Connection): string {
	return JSON.stringify({ engine: "postgres", host, port, dbname: database, username: user, password });
}
