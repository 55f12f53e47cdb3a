import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../provider/late";

const provider = lateProvider("components/database/password-provider.ts");

/** A generated password: made once, kept in the state as a secret, never shown. */
export class GeneratedPassword extends pulumi.dynamic.Resource {
	declare readonly value: pulumi.Output<string>;

	constructor(name: string, opts?: pulumi.CustomResourceOptions) {
		super(
			provider,
			name,
			{ value: undefined },
			pulumi.mergeOptions(opts, { additionalSecretOutputs: ["value"] }),
			"database",
			"GeneratedPassword",
		);
	}
}
