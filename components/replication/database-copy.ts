import * as pulumi from "@pulumi/pulumi";
import type { MigrationEntry } from "../migrations/migration-entries";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";
import type { RouterReference } from "../traffic/router-reference";
import type { ColorServers } from "./environment";
import type { Color } from "./node";

export interface DatabaseCopyArgs {
	color: pulumi.Input<Color>;
	generation: pulumi.Input<number>;
	/** The migrations that the release wants, by version: what they do to the live schema is looked at beforehand. */
	migrations: Record<string, MigrationEntry>;
	/** The migration files' folder, from the project's folder. */
	directory: pulumi.Input<string>;
	/** The router in front of the colours. */
	router: pulumi.Input<RouterReference>;
	/** Where all colours live. A secret. */
	servers: pulumi.Input<ColorServers>;
	/** Parallel streams of the copy. */
	workers: pulumi.Input<number>;
	/** How the copy is compared with its source. */
	verification: pulumi.Input<"checksums" | "counts">;
	/** Seconds for the whole copy. */
	copyTimeoutSeconds: pulumi.Input<number>;
	/** Seconds to wait for writing transactions when a slot is made. */
	slotTimeoutSeconds: pulumi.Input<number>;
	/** Seconds to catch up with what was written during the copy. */
	catchUpTimeoutSeconds: pulumi.Input<number>;
	/** Lag in bytes that counts as caught up. */
	maxLagBytes: pulumi.Input<number>;
	/** Where the deployment is written down. A secret. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/replication/database-copy-provider.ts");

/**
 * The rows of a colour: copied online from the live colour and kept in step with it. For the first colour of a stack
 * there is nothing to copy. Deleting it ends every link of the colour, so that its database can be dropped.
 */
export class DatabaseCopy extends pulumi.dynamic.Resource {
	constructor(name: string, args: DatabaseCopyArgs, opts?: pulumi.CustomResourceOptions) {
		const { servers, context, ...rest } = args;
		super(
			provider,
			name,
			{ ...rest, servers: pulumi.secret(servers), context: pulumi.secret(context) },
			opts,
			"replication",
			"DatabaseCopy",
		);
	}
}
