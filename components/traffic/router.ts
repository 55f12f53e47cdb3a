import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../provider/late";

export interface RouterArgs {
	/** The router's folder, from the project's folder. */
	directory: pulumi.Input<string>;
	/** A port to keep to; a free one is chosen once when it is left out. */
	port?: pulumi.Input<number>;
	/** Seconds until starting or stopping is given up. */
	timeoutSeconds: pulumi.Input<number>;
}

const routerProvider = lateProvider("components/traffic/local/router-provider.ts");

/** The one address that clients use, as a process on this machine that outlives the update. */
export class Router extends pulumi.dynamic.Resource {
	/** The public address. */
	declare readonly url: pulumi.Output<string>;
	declare readonly directory: pulumi.Output<string>;
	/** The file that says what it routes to, from the project's folder. */
	declare readonly stateFile: pulumi.Output<string>;

	constructor(name: string, args: RouterArgs, opts?: pulumi.CustomResourceOptions) {
		const { port, ...rest } = args;
		super(
			routerProvider,
			name,
			{ ...rest, fixedPort: port, url: undefined, stateFile: undefined },
			opts,
			"traffic",
			"Router",
		);
	}
}
