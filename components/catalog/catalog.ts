import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import { closeToPublic } from "../database/owned-database";
import { GeneratedPassword } from "../database/password";
import type { DatabaseServer } from "../database/server";
import { lateProvider } from "../provider/late";
import type { EnvironmentMirror } from "./environments";

export interface CatalogArgs {
	server: DatabaseServer;
	/** The catalog's database; its owner has the same name. */
	databaseName: string;
	/** The settings of this update, as the catalog shows them; nothing secret. */
	environment: pulumi.Input<EnvironmentMirror>;
}

/** The environment's own database of record: it knows what was deployed, when, by whom and how it went. */
export class Catalog extends pulumi.ComponentResource {
	/** Also the name of its owner. */
	readonly databaseName: string;
	/** As the role that deployments write into it as, once its schema is up to date. */
	readonly connection: pulumi.Output<Connection>;

	constructor(name: string, args: CatalogArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:catalog:Catalog", name, {}, opts);
		const { server, databaseName, environment } = args;
		this.databaseName = databaseName;
		const child = { parent: this, provider: server.provider, deletedWith: server.resource };
		const password = new GeneratedPassword(`${name}-password`, {}, { parent: this });
		const owner = new postgresql.Role(
			`${name}-owner`,
			{ name: databaseName, login: true, password: password.value },
			child,
		);
		const database = new postgresql.Database(name, { name: databaseName, owner: owner.name }, child);
		const closed = closeToPublic(`${name}-closed`, database, child);
		const deployingPassword = new GeneratedPassword(`${name}-deploying-password`, {}, { parent: this });
		const deploying = new postgresql.Role(
			`${name}-deploying`,
			{ name: `${databaseName}_deploy`, login: true, password: deployingPassword.value },
			child,
		);
		const schema = new CatalogSchema(
			`${name}-schema`,
			{
				connection: server.connection(database.name, owner.name, password.value),
				deploying: server.connection(database.name, deploying.name, deployingPassword.value),
				environment,
			},
			{ parent: this, dependsOn: closed },
		);
		this.connection = schema.deploying;
		this.registerOutputs({});
	}
}

interface CatalogSchemaArgs {
	/** As the catalog's owner. */
	connection: pulumi.Input<Connection>;
	/** As the role that deployments write into it as. */
	deploying: pulumi.Input<Connection>;
	/** Mirrored into `environment_configs`. */
	environment: pulumi.Input<EnvironmentMirror>;
}

const provider = lateProvider("components/catalog/catalog-provider.ts");

/** The catalog's tables at the version that this code knows, and its row of the environment's settings. */
class CatalogSchema extends pulumi.dynamic.Resource {
	declare readonly deploying: pulumi.Output<Connection>;

	constructor(name: string, args: CatalogSchemaArgs, opts?: pulumi.CustomResourceOptions) {
		super(provider, name, { ...args, version: undefined }, opts, "catalog", "CatalogSchema");
	}
}
