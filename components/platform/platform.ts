import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import type { ServiceArgs } from "../service/service";
import type { RouterReference } from "../traffic/router-reference";

/** What differs between the places that a stack can run on. Everything else of a release is the same on all of them. */
export interface Platform {
	/**
	 * Whether the catalog and the queue get a server of their own when each colour has one; else they are on the first
	 * colour's.
	 */
	readonly catalogApart?: boolean;
	/** What the role gets that colours copy from each other with, where the administrator is no superuser. */
	readonly replicationRole?: { attributes: ReplicationAttributes; roles: string[] };
	/** Processes that each service is at most, of those that run while it is changed too; one when left out. */
	readonly serviceProcesses?: number;
	/** What it has declared by itself, beside what was asked of it with a parent. */
	readonly resources: readonly pulumi.Resource[];
	/** Declares a PostgreSQL server and what it needs to run. */
	server(name: string, args: ServerArgs, opts: pulumi.ComponentResourceOptions): PlacedServer;
	/** Declares the one address that clients use. */
	router(name: string, opts: pulumi.ComponentResourceOptions): PlacedRouter;
	/** Declares a service of a release, which serves nobody until the router is told to send requests to it. */
	service(name: string, args: ServiceArgs, opts: pulumi.ComponentResourceOptions): PlacedService;
}

export interface ReplicationAttributes {
	/** May read what changes. */
	replication: boolean;
	/** Sees the rows that a policy hides from others. */
	bypassRowLevelSecurity: boolean;
}

export interface ServerArgs {
	/** What lives on it: everything that has no other server, only catalog and queue, or only one colour's databases. */
	holds: "first" | "catalog" | "blue" | "green";
	/** Connections that applications may hold. */
	maxConnections: pulumi.Input<number>;
	/** Of the administrator. */
	password: pulumi.Input<string>;
}

export interface PlacedServer {
	/** Where the deployment reaches it. */
	host: pulumi.Output<string>;
	port: pulumi.Output<number>;
	/** Where services and the stack's other server reach it, if that is elsewhere. */
	inside?: { host: pulumi.Input<string>; port: pulumi.Input<number> };
	/** The role that may make databases, roles, slots and subscriptions. */
	administrator: string;
	/** The administrator's. */
	password: pulumi.Output<string>;
	sslMode: Connection["sslMode"];
	/** A file of certificates, from the project's folder, that its own is checked with. */
	sslRootCert?: string;
	/** The server itself: what lives on it is gone when it is, without being deleted one by one. */
	resource: pulumi.CustomResource;
	/** That it runs: whoever uses it waits for that. */
	running: pulumi.CustomResource;
}

export interface PlacedRouter {
	/** The public address. */
	url: pulumi.Output<string>;
	/** How providers get at it. */
	reference: pulumi.Input<RouterReference>;
	/** What has to be there before requests can be routed. */
	resource: pulumi.Resource;
}

export interface PlacedService {
	/** Where the deployment reaches it, without the router. */
	url: pulumi.Output<string>;
	/** Where the router reaches it. */
	insideUrl: pulumi.Output<string>;
	/** What the router calls it. */
	targetGroup: pulumi.Output<string>;
	/** The service itself. */
	resource: pulumi.Resource;
}
