import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import type { DeploymentContext } from "../pipeline/context";

/** A service of a release, whatever the platform. */
export interface ServiceArgs {
	/** Which colour's it is, such as `green-2`; empty where there is only one. */
	color: string;
	/** The module to run, from the project's folder. */
	entry: pulumi.Input<string>;
	/** The image to run, where services are containers. */
	image?: pulumi.Input<string>;
	/** What the service calls itself. */
	release: pulumi.Input<string>;
	/** The schema version that the release needs. */
	requiredSchema: pulumi.Input<string>;
	/** Which newer schemas the release runs on. */
	schemaCompatibility: pulumi.Input<string>;
	/** Where it is several tasks: how many. */
	tasks?: number;
	/** Of each task, in units of 1024 for one processor. */
	cpu?: number;
	/** Of each task, in megabytes. */
	memory?: number;
	/** The processor that the image is built for. */
	architecture?: "X86_64" | "ARM64";
	/** Connections in the service's pool. */
	poolSize: pulumi.Input<number>;
	logLevel: pulumi.Input<string>;
	debugMode: pulumi.Input<boolean>;
	/** As the application role, as the service reaches it. */
	database: pulumi.Input<Connection>;
	/** The same, as the deployment reaches it. */
	reachedDatabase: pulumi.Input<Connection>;
	/** Where the server's statistics of statements are read: they count from the service's start. */
	statistics: pulumi.Input<Connection>;
	/** The queue, as the role that services use. */
	queue: pulumi.Input<Connection>;
	/** What tells what this service keeps in its cache from what another colour or generation keeps. */
	cacheNamespace: pulumi.Input<string>;
	/** Seconds until a service that does not become ready is given up. */
	readyTimeoutSeconds: pulumi.Input<number>;
	/** Seconds that a service has to finish its requests. */
	drainTimeoutSeconds: pulumi.Input<number>;
	/** For undoing the release's migrations when the service does not come up. */
	context: pulumi.Input<DeploymentContext>;
}
