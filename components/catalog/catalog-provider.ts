import { z } from "zod";
import { connectionSchema, withClient } from "../database/connection";
import { defineProvider } from "../provider/define";
import { grantDeploying } from "./deploying-role";
import { mirrorEnvironment } from "./environments";
import { newestCatalogVersion, upgradeCatalog } from "./upgrade";

const inputs = z.object({
	connection: connectionSchema,
	/** States from before there was such a role do not have it. */
	deploying: connectionSchema.optional(),
	environment: z.object({
		name: z.string(),
		type: z.enum(["development", "staging", "production"]),
		databaseHost: z.string(),
		databasePort: z.number(),
		databaseName: z.string(),
		databaseUser: z.string(),
		poolSize: z.number(),
		maxConnections: z.number(),
		backupSchedule: z.string(),
		monitoring: z.boolean(),
		alerting: z.boolean(),
		config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
	}),
});
const outputs = inputs.extend({ version: z.number() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	async create(wanted) {
		return { id: wanted.connection.database, outputs: await bringUpToDate(wanted) };
	},
	async update(_id, wanted) {
		return bringUpToDate(wanted);
	},
	async isCurrent(_id, { version }) {
		return version === newestCatalogVersion();
	},
	/** The tables go with their database. */
	async delete() {},
});

const SESSION = { applicationName: "deployment-catalog" };

async function bringUpToDate(wanted: Inputs): Promise<Outputs> {
	return withClient(wanted.connection, SESSION, async (client) => {
		const { to } = await upgradeCatalog(client);
		if (wanted.deploying !== undefined) {
			await grantDeploying(client, wanted.deploying.user);
		}
		await mirrorEnvironment(client, wanted.environment);
		return { ...wanted, version: to };
	});
}
