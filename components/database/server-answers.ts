import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../provider/late";
import type { Connection } from "./connection";

export interface ServerAnswersArgs {
	/** As the administrator. */
	connection: pulumi.Input<Connection>;
	/** What runs the server: when that is another one, it is waited for again. */
	instance: pulumi.Input<string>;
	/** Seconds until a server that does not answer is given up. */
	timeoutSeconds: pulumi.Input<number>;
}

const provider = lateProvider("components/database/server-answers-provider.ts");

/** That a server answers where the deployment reaches it. Whoever uses the server waits for this. */
export class ServerAnswers extends pulumi.dynamic.Resource {
	constructor(name: string, args: ServerAnswersArgs, opts?: pulumi.CustomResourceOptions) {
		const { connection, ...rest } = args;
		super(
			provider,
			name,
			{ ...rest, connection: pulumi.secret(connection) },
			opts,
			"database",
			"ServerAnswers",
		);
	}
}
