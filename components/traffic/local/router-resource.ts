import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../../provider/late";

export interface LocalRouterArgs {
	/** The router's state file, from the project's folder; its other files lie beside it. */
	stateFile: pulumi.Input<string>;
	/** A port to keep to; a free one is chosen once when it is left out. */
	port?: pulumi.Input<number>;
	/** Seconds until starting or stopping is given up. */
	timeoutSeconds: pulumi.Input<number>;
}

const routerProvider = lateProvider("components/traffic/local/router-provider.ts");

/** The one address that clients use, as a process on this machine that outlives the update. */
export class LocalRouter extends pulumi.dynamic.Resource {
	/** The public address. */
	declare readonly url: pulumi.Output<string>;

	constructor(name: string, args: LocalRouterArgs, opts?: pulumi.CustomResourceOptions) {
		const { port, ...rest } = args;
		super(routerProvider, name, { ...rest, fixedPort: port, url: undefined }, opts, "traffic", "Router");
	}
}
