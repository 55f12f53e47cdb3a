import * as pulumi from "@pulumi/pulumi";
import { lateProvider } from "../../provider/late";

export interface LocalServerArgs {
	/** The stack's folder from the project's folder, `.local/<stack>`. */
	directory: pulumi.Input<string>;
	/** Of the superuser `postgres`. */
	password: pulumi.Input<string>;
	/** Connections that applications may hold. */
	maxConnections: pulumi.Input<number>;
	/** Of its log that it keeps for a slot that nobody reads from; 16 when left out. */
	keptWalGigabytes?: pulumi.Input<number>;
	/** Whether there is a role for the deployment that is no superuser. */
	withoutSuperuser?: pulumi.Input<boolean | undefined>;
	/** A port to keep to; a free one is chosen once when it is left out. */
	fixedPort?: pulumi.Input<number>;
	/** Seconds until starting or stopping is given up. */
	timeoutSeconds: pulumi.Input<number>;
}

const provider = lateProvider("components/database/local/server-provider.ts");

/** A PostgreSQL server on this machine that outlives the update. */
export class LocalServer extends pulumi.dynamic.Resource {
	declare readonly host: pulumi.Output<string>;
	declare readonly port: pulumi.Output<number>;
	declare readonly password: pulumi.Output<string>;

	constructor(name: string, args: LocalServerArgs, opts?: pulumi.CustomResourceOptions) {
		const { password, ...rest } = args;
		super(
			provider,
			name,
			{ ...rest, password: pulumi.secret(password), host: undefined, port: undefined },
			opts,
			"database",
			"LocalServer",
		);
	}
}

const runningProvider = lateProvider("components/database/local/running-provider.ts");

/**
 * That a server runs. A resource of its own, without outputs: when a server is down, an update starts it and changes
 * nothing else, and a preview shows just that.
 */
export class LocalServerRunning extends pulumi.dynamic.Resource {
	constructor(name: string, server: LocalServer, args: LocalServerArgs, opts?: pulumi.CustomResourceOptions) {
		const { directory, password, maxConnections, keptWalGigabytes, withoutSuperuser, timeoutSeconds } = args;
		super(
			runningProvider,
			name,
			{
				...{
					directory,
					maxConnections,
					keptWalGigabytes,
					withoutSuperuser,
					port: server.port,
					timeoutSeconds,
				},
				password: pulumi.secret(password),
			},
			opts,
			"database",
			"LocalServerRunning",
		);
	}
}
