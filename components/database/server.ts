import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Platform, ServerArgs } from "../platform/platform";
import type { Connection } from "./connection";
import { GeneratedPassword } from "./password";

export interface DatabaseServerArgs {
	/** Where the stack runs. */
	platform: Platform;
	/** What lives on it. */
	holds: ServerArgs["holds"];
	/** Connections that applications may hold. */
	maxConnections: pulumi.Input<number>;
}

/** A PostgreSQL server and the provider that declares databases, roles and grants on it. */
export class DatabaseServer extends pulumi.ComponentResource {
	readonly host: pulumi.Output<string>;
	readonly port: pulumi.Output<number>;
	/** For `@pulumi/postgresql` resources on this server. */
	readonly provider: postgresql.Provider;
	/** As the role that may do everything, by way of the server's own database; a secret as a whole. */
	readonly superuserConnection: pulumi.Output<Connection>;
	/** The same, once the server's statistics of statements can be read there; a secret as a whole. */
	readonly statisticsConnection: pulumi.Output<Connection>;
	/** The server itself: what lives on it is gone when it is, without being deleted one by one. */
	readonly resource: pulumi.CustomResource;
	/** Where services and the stack's other server reach it; undefined where that is no other address. */
	readonly inside: pulumi.Output<{ host: string; port: number }> | undefined;
	private readonly encryption: Pick<Connection, "sslMode" | "sslRootCert">;

	constructor(name: string, args: DatabaseServerArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:DatabaseServer", name, {}, opts);
		const password = new GeneratedPassword(`${name}-password`, {}, { parent: this });
		const { platform, holds, maxConnections } = args;
		const server = platform.server(
			name,
			{ holds, maxConnections, password: password.value },
			{ parent: this },
		);
		const { administrator, running } = server;
		const { sslMode, sslRootCert } = server;
		this.encryption = { sslMode, ...(sslRootCert !== undefined && { sslRootCert }) };
		this.resource = server.resource;
		this.host = server.host;
		this.port = server.port;
		this.inside = server.inside && pulumi.output(server.inside);
		// Known once the server runs, so that whoever uses it waits for that.
		this.superuserConnection = running.id.apply(() =>
			this.connection("postgres", administrator, server.password),
		);
		this.provider = new postgresql.Provider(
			`${name}-provider`,
			{
				host: server.host,
				port: server.port,
				username: administrator,
				password: server.password,
				database: "postgres",
				sslmode: sslMode,
				...(sslRootCert !== undefined && { sslrootcert: sslRootCert }),
				// As on managed servers: what a role may not do by itself it is granted for the moment it needs it.
				superuser: false,
				connectTimeout: 15,
			},
			{ parent: this, dependsOn: running },
		);
		const statistics = new postgresql.Extension(
			`${name}-statistics`,
			{ name: "pg_stat_statements", database: "postgres" },
			{ parent: this, provider: this.provider, deletedWith: server.resource },
		);
		this.statisticsConnection = pulumi
			.all([statistics.id, this.superuserConnection])
			.apply(([, connection]) => connection);
		this.registerOutputs({ host: this.host, port: this.port });
	}

	/** How the deployment reaches a database of this server as a role; a secret as a whole. */
	connection(
		database: pulumi.Input<string>,
		user: pulumi.Input<string>,
		password: pulumi.Input<string>,
	): pulumi.Output<Connection> {
		const { host, port, encryption } = this;
		return pulumi.secret(pulumi.output({ host, port, database, user, password, ...encryption }));
	}

	/** How a service reaches it, by what the deployment has for the same; a secret as a whole. */
	fromInside(connection: pulumi.Output<Connection>): pulumi.Output<Connection> {
		const { inside } = this;
		return inside === undefined
			? connection
			: pulumi.all([connection, inside]).apply(([outside, address]) => ({ ...outside, ...address }));
	}
}
