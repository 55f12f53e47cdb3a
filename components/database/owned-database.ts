import * as postgresql from "@pulumi/postgresql";
import type * as pulumi from "@pulumi/pulumi";
import { GeneratedPassword } from "./password";
import type { DatabaseServer } from "./server";

export interface OwnedDatabaseArgs {
	server: DatabaseServer;
	databaseName: string;
	/** The role that owns the database and all that is in it. */
	ownerName: string;
	/** Connections that the application may hold. */
	connectionLimit: pulumi.Input<number>;
	/** Of the application's password; another number makes another one. */
	passwordGeneration: number;
}

/** A database that nobody but its owner and its application may connect to. */
export interface OwnedDatabase {
	database: postgresql.Database;
	owner: postgresql.Role;
	ownerPassword: pulumi.Output<string>;
	/** A role that may connect, and has no other rights yet. */
	application: postgresql.Role;
	applicationPassword: pulumi.Output<string>;
	/** Lets the application connect, once everybody else may not. */
	connect: postgresql.Grant;
}

/** Declares a database with its two roles as children of a component. */
export function declareOwnedDatabase(
	name: string,
	{ server, databaseName, ownerName, connectionLimit, passwordGeneration }: OwnedDatabaseArgs,
	parent: pulumi.Resource,
): OwnedDatabase {
	const child = { parent, provider: server.provider, deletedWith: server.resource };
	const ownerPassword = new GeneratedPassword(`${name}-owner-password`, {}, { parent }).value;
	const owner = new postgresql.Role(
		`${name}-owner`,
		{ name: ownerName, login: true, password: ownerPassword },
		child,
	);
	const applicationPassword = new GeneratedPassword(
		`${name}-app-password`,
		{ generation: passwordGeneration },
		{ parent },
	).value;
	const application = new postgresql.Role(
		`${name}-app`,
		{ name: `${databaseName}_app`, login: true, password: applicationPassword, connectionLimit },
		child,
	);
	const database = new postgresql.Database(name, { name: databaseName, owner: owner.name }, child);
	const closed = closeToPublic(`${name}-closed`, database, child);
	const connect = new postgresql.Grant(
		`${name}-connect`,
		{ database: database.name, role: application.name, objectType: "database", privileges: ["CONNECT"] },
		{ ...child, dependsOn: closed },
	);
	return { database, owner, ownerPassword, application, applicationPassword, connect };
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
