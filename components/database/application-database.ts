import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "./connection";
import { declareOwnedDatabase } from "./owned-database";
import type { DatabaseServer } from "./server";

export interface ApplicationDatabaseArgs {
	server: DatabaseServer;
	/** The database's own name; the roles' names begin with it. */
	databaseName: string;
	/** Connections that the application may hold. */
	maxConnections: pulumi.Input<number>;
	/** Of the application's password; another number makes another one. */
	passwordGeneration: number;
	/** A role that may connect as well, to replicate. */
	replicationRole?: pulumi.Input<string>;
}

/**
 * A database that a release of the service runs on, with an owner role that migrates it and an application role that
 * can read and change rows and nothing else.
 */
export class ApplicationDatabase extends pulumi.ComponentResource {
	readonly databaseName: pulumi.Output<string>;
	/** The role that the service uses. */
	readonly applicationUser: pulumi.Output<string>;
	readonly applicationPassword: pulumi.Output<string>;
	/** As the role that migrates. */
	readonly ownerConnection: pulumi.Output<Connection>;
	/** As the role that the service uses. */
	readonly applicationConnection: pulumi.Output<Connection>;

	constructor(name: string, args: ApplicationDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:ApplicationDatabase", name, {}, opts);
		const { server, databaseName, maxConnections, passwordGeneration } = args;
		const child = { parent: this, provider: server.provider, deletedWith: server.resource };

		const { database, owner, ownerPassword, application, applicationPassword, connect } =
			declareOwnedDatabase(
				name,
				{
					...{ server, databaseName, ownerName: `${databaseName}_owner`, passwordGeneration },
					connectionLimit: maxConnections,
				},
				this,
			);
		const replicate =
			args.replicationRole === undefined
				? []
				: [
						new postgresql.Grant(
							`${name}-replicate`,
							{
								database: database.name,
								role: args.replicationRole,
								objectType: "database",
								privileges: ["CONNECT"],
							},
							{ ...child, dependsOn: connect },
						),
					];
		const usage = new postgresql.Grant(
			`${name}-usage`,
			{
				database: database.name,
				schema: "public",
				role: application.name,
				objectType: "schema",
				privileges: ["USAGE"],
			},
			child,
		);
		const defaults = [
			{ objectType: "table", privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"] },
			{ objectType: "sequence", privileges: ["SELECT", "USAGE"] },
		].map(
			({ objectType, privileges }) =>
				new postgresql.DefaultPrivileges(
					`${name}-${objectType}s`,
					{
						database: database.name,
						schema: "public",
						owner: owner.name,
						role: application.name,
						objectType,
						privileges,
					},
					child,
				),
		);

		this.databaseName = database.name;
		this.applicationUser = application.name;
		this.applicationPassword = applicationPassword;
		const ready = pulumi.all([connect, usage, ...replicate, ...defaults].map(({ id }) => id));
		this.ownerConnection = ready.apply(() => server.connection(database.name, owner.name, ownerPassword));
		this.applicationConnection = ready.apply(() =>
			server.connection(database.name, application.name, applicationPassword),
		);
		this.registerOutputs({ databaseName: this.databaseName });
	}
}
