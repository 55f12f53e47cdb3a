import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "./connection";
import { GeneratedPassword } from "./password";
import type { DatabaseServer } from "./server";

export interface ApplicationDatabaseArgs {
	server: DatabaseServer;
	/** The database's own name; the roles' names begin with it. */
	databaseName: string;
	/** Connections that the application may hold. */
	maxConnections: pulumi.Input<number>;
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
		const { server, databaseName, maxConnections } = args;
		const child = { parent: this, provider: server.provider, deletedWith: server.resource };

		const ownerPassword = new GeneratedPassword(`${name}-owner-password`, { parent: this });
		const owner = new postgresql.Role(
			`${name}-owner`,
			{ name: `${databaseName}_owner`, login: true, password: ownerPassword.value },
			child,
		);
		const applicationPassword = new GeneratedPassword(`${name}-app-password`, { parent: this });
		const application = new postgresql.Role(
			`${name}-app`,
			{
				name: `${databaseName}_app`,
				login: true,
				password: applicationPassword.value,
				connectionLimit: maxConnections,
			},
			child,
		);
		const database = new postgresql.Database(name, { name: databaseName, owner: owner.name }, child);

		const closed = closeToPublic(`${name}-closed`, database, child);
		const connect = new postgresql.Grant(
			`${name}-connect`,
			{ database: database.name, role: application.name, objectType: "database", privileges: ["CONNECT"] },
			{ ...child, dependsOn: closed },
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
		this.applicationPassword = applicationPassword.value;
		const ready = pulumi.all([connect, usage, ...replicate, ...defaults].map(({ id }) => id));
		this.ownerConnection = ready.apply(() =>
			server.connection(database.name, owner.name, ownerPassword.value),
		);
		this.applicationConnection = ready.apply(() =>
			server.connection(database.name, application.name, applicationPassword.value),
		);
		this.registerOutputs({ databaseName: this.databaseName });
	}
}

/** PostgreSQL lets every role connect to every database unless it is told not to. */
export function closeToPublic(
	name: string,
	database: postgresql.Database,
	opts: pulumi.CustomResourceOptions,
): postgresql.Grant {
	return new postgresql.Grant(
		name,
		{ database: database.name, role: "public", objectType: "database", privileges: [] },
		opts,
	);
}
