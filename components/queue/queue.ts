import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../database/connection";
import { declareOwnedDatabase } from "../database/owned-database";
import type { DatabaseServer } from "../database/server";
import { lateProvider } from "../provider/late";
import { queueConnections } from "./connections";

export interface QueueArgs {
	server: DatabaseServer;
	/** The queue's database; its owner has the same name. */
	databaseName: string;
	/** Of the password that services use; another number makes another one. */
	passwordGeneration: number;
	/** Processes that each service is at most; one when left out. */
	serviceProcesses?: number | undefined;
}

/** The database of the batches that wait to be stored. It belongs to no colour: both take their work from it. */
export class Queue extends pulumi.ComponentResource {
	/** As the role that services use, once the queue is ready for them; a secret as a whole. */
	readonly connection: pulumi.Output<Connection>;

	constructor(name: string, args: QueueArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:queue:Queue", name, {}, opts);
		const { server, databaseName, passwordGeneration, serviceProcesses = 1 } = args;
		const { database, owner, ownerPassword, application, applicationPassword, connect } =
			declareOwnedDatabase(
				name,
				{
					...{ server, databaseName, ownerName: databaseName, passwordGeneration },
					connectionLimit: queueConnections(serviceProcesses),
				},
				this,
			);
		const schema = new QueueSchema(
			`${name}-schema`,
			{
				connection: server.connection(database.name, owner.name, ownerPassword),
				applicationRole: application.name,
			},
			{ parent: this, dependsOn: connect },
		);
		this.connection = schema.id.apply(() =>
			server.fromInside(server.connection(database.name, application.name, applicationPassword)),
		);
		this.registerOutputs({});
	}
}

interface QueueSchemaArgs {
	/** As the queue's owner. */
	connection: pulumi.Input<Connection>;
	/** The role that services use. */
	applicationRole: pulumi.Input<string>;
}

const provider = lateProvider("components/queue/queue-schema-provider.ts");

/** The queue's tables at the version that the service knows. */
class QueueSchema extends pulumi.dynamic.Resource {
	constructor(name: string, args: QueueSchemaArgs, opts?: pulumi.CustomResourceOptions) {
		super(provider, name, { ...args, version: undefined }, opts, "queue", "QueueSchema");
	}
}
