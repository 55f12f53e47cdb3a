import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "./connection";
import { LocalServer, LocalServerRunning } from "./local/server-resource";
import { GeneratedPassword } from "./password";

export interface DatabaseServerArgs {
	/** The stack's folder for everything of platform `local`, from the project's folder. */
	directory: pulumi.Input<string>;
	/** Connections that applications may hold. */
	maxConnections: pulumi.Input<number>;
	/** A port to keep to; a free one is chosen once when it is left out. */
	port?: pulumi.Input<number>;
	/** Seconds until starting or stopping is given up. */
	startTimeoutSeconds: pulumi.Input<number>;
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

	constructor(name: string, args: DatabaseServerArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:DatabaseServer", name, {}, opts);
		const password = new GeneratedPassword(`${name}-password`, { parent: this });
		const local = {
			directory: args.directory,
			password: password.value,
			maxConnections: args.maxConnections,
			fixedPort: args.port,
			timeoutSeconds: args.startTimeoutSeconds,
		};
		const server = new LocalServer(name, local, { parent: this });
		const running = new LocalServerRunning(`${name}-running`, server, local, { parent: this });
		this.resource = server;
		this.host = server.host;
		this.port = server.port;
		// Known once the server runs, so that whoever uses it waits for that.
		this.superuserConnection = running.id.apply(() =>
			this.connection("postgres", "postgres", server.password),
		);
		this.provider = new postgresql.Provider(
			`${name}-provider`,
			{
				host: server.host,
				port: server.port,
				username: "postgres",
				password: server.password,
				database: "postgres",
				sslmode: "disable",
				// As on managed servers: what a role may not do by itself it is granted for the moment it needs it.
				superuser: false,
				connectTimeout: 15,
			},
			{ parent: this, dependsOn: running },
		);
		const statistics = new postgresql.Extension(
			`${name}-statistics`,
			{ name: "pg_stat_statements", database: "postgres" },
			{ parent: this, provider: this.provider, deletedWith: server },
		);
		this.statisticsConnection = pulumi
			.all([statistics.id, this.superuserConnection])
			.apply(([, connection]) => connection);
		this.registerOutputs({ host: this.host, port: this.port });
	}

	/** How a role reaches a database of this server; a secret as a whole. */
	connection(
		database: pulumi.Input<string>,
		user: pulumi.Input<string>,
		password: pulumi.Input<string>,
	): pulumi.Output<Connection> {
		return pulumi.secret(
			pulumi.output({
				host: this.host,
				port: this.port,
				database,
				user,
				password,
				sslMode: "disable" as const,
			}),
		);
	}
}
