import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Catalog } from "../catalog/catalog";
import type { Connection } from "../database/connection";
import { GeneratedPassword } from "../database/password";
import type { DatabaseServer } from "../database/server";

export interface WatcherArgs {
	/** Its role's name begins with that of the catalog's database. */
	catalog: Catalog;
	/** The catalog's server, and further ones whose replication is watched. */
	servers: [DatabaseServer, ...DatabaseServer[]];
}

/** Connections that the commands and the dashboard may hold on one server together. */
const CONNECTION_LIMIT = 20;

/** The role that looks at an environment: it reads the catalog and the servers' statistics, and changes nothing. */
export class Watcher extends pulumi.ComponentResource {
	/** To the catalog. */
	readonly catalogConnection: pulumi.Output<Connection>;
	private readonly ready: pulumi.Output<{ user: string; password: string }>;

	constructor(name: string, args: WatcherArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:monitoring:Watcher", name, {}, opts);
		const { catalog, servers } = args;
		const [server] = servers;
		const password = new GeneratedPassword(`${name}-password`, {}, { parent: this });
		const roles = servers.map(
			(each, index) =>
				new postgresql.Role(
					index === 0 ? `${name}-reader` : `${name}-reader-${index + 1}`,
					{
						name: `${catalog.databaseName}_reader`,
						login: true,
						password: password.value,
						connectionLimit: CONNECTION_LIMIT,
						roles: ["pg_monitor"],
					},
					{ parent: this, provider: each.provider, deletedWith: each.resource },
				),
		);
		const role = roles[0]!.name;
		const child = { parent: this, provider: server.provider, deletedWith: server.resource };
		const database = catalog.databaseName;
		const connect = new postgresql.Grant(
			`${name}-connect`,
			{ database, role, objectType: "database", privileges: ["CONNECT"] },
			// A grant on all tables covers those that are there.
			{ ...child, dependsOn: catalog },
		);
		const select = new postgresql.Grant(
			`${name}-select`,
			{ database, role, schema: "public", objectType: "table", privileges: ["SELECT"] },
			{ ...child, dependsOn: connect },
		);
		const later = new postgresql.DefaultPrivileges(
			`${name}-tables`,
			{
				database,
				role,
				schema: "public",
				owner: database,
				objectType: "table",
				privileges: ["SELECT"],
			},
			{ ...child, dependsOn: select },
		);
		this.ready = pulumi
			.all([role, password.value, later.id, ...roles.map(({ id }) => id)])
			.apply(([user, secret]) => ({ user: user!, password: secret! }));
		this.catalogConnection = this.connectionTo(server, database);
		this.registerOutputs({});
	}

	/** To a server's own database, where its statistics can be read; a secret as a whole. */
	serverConnection(server: DatabaseServer): pulumi.Output<Connection> {
		return this.connectionTo(server, "postgres");
	}

	private connectionTo(server: DatabaseServer, database: pulumi.Input<string>): pulumi.Output<Connection> {
		return this.ready.apply(({ user, password }) => server.connection(database, user, password));
	}
}
