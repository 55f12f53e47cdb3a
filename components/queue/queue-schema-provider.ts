import { z } from "zod";
import { prepareQueue, queueSchemaVersion } from "../../service/queue/schema";
import { connectionSchema, withClient } from "../database/connection";
import { defineProvider } from "../provider/define";

const inputs = z.object({ connection: connectionSchema, applicationRole: z.string() });
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
		return version === queueSchemaVersion();
	},
	/** The tables go with their database. */
	async delete() {},
});

async function bringUpToDate(wanted: Inputs): Promise<Outputs> {
	const { connection, applicationRole } = wanted;
	await withClient(connection, { applicationName: "deployment-queue" }, (client) =>
		prepareQueue(client, applicationRole),
	);
	return { ...wanted, version: queueSchemaVersion() };
}
