import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../provider/late";

const FIRST = 1;

const provider = lateProvider("components/database/password-provider.ts");

export interface GeneratedPasswordArgs {
	/** Another number makes another password. */
	generation?: number;
}

/** A generated password: made once for each generation, kept in the state as a secret, never shown. */
export class GeneratedPassword extends pulumi.dynamic.Resource {
	declare readonly value: pulumi.Output<string>;

	constructor(name: string, args: GeneratedPasswordArgs = {}, opts?: pulumi.CustomResourceOptions) {
		const { generation = FIRST } = args;
		super(
			provider,
			name,
			// Left out for the first one, so that stacks which have it see no change.
			{ value: undefined, ...(generation !== FIRST && { generation }) },
			pulumi.mergeOptions(opts, { additionalSecretOutputs: ["value"] }),
			"database",
			"GeneratedPassword",
		);
	}
}
