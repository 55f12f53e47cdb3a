import type { Client, QueryResultRow } from "pg";
import { z } from "zod";
import { type Connection, withClient } from "../../../components/database/connection";

/** Sixty-four-bit numbers come as text; the workload's are small. */
const number = z.coerce.number().int();

const operationRow = z.object({
	op_id: z.string(),
	kind: z.string(),
	account: number.nullable(),
	ticket: number.nullable(),
});
const accountRow = z.object({ id: number, balance: number, version: number });
const eventRow = z.object({ account: number, amount: number, note: z.string() });
const ticketRow = z.object({
	number,
	account: number,
	op_id: z.string(),
	net: number,
	gross: number,
});
const measureRow = z.object({ at: number, op_id: z.string(), value: number });
const counterRow = z.object({ key: z.string(), value: number });

export interface Contents {
	operations: z.infer<typeof operationRow>[];
	accounts: z.infer<typeof accountRow>[];
	events: z.infer<typeof eventRow>[];
	tickets: z.infer<typeof ticketRow>[];
	measures: z.infer<typeof measureRow>[];
	counters: z.infer<typeof counterRow>[];
}

/** All rows of the workload's tables, of one moment. */
export function readContents(database: Connection): Promise<Contents> {
	return withClient(database, { applicationName: "workload-checker" }, async (client) => {
		await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
		return {
			operations: await rows(client, operationRow, "SELECT op_id, kind, account, ticket FROM operations"),
			accounts: await rows(client, accountRow, "SELECT id, balance, version FROM accounts"),
			events: await rows(client, eventRow, "SELECT account, amount, note FROM events"),
			tickets: await rows(client, ticketRow, "SELECT number, account, op_id, net, gross FROM tickets"),
			measures: await rows(client, measureRow, "SELECT at, op_id, value FROM measures"),
			counters: await rows(
				client,
				counterRow,
				`SELECT "Schlüssel" AS key, "Wert der Größe" AS value FROM "Größen"."Zähler 1"`,
			),
		};
	});
}

async function rows<T extends z.ZodType>(client: Client, schema: T, sql: string): Promise<z.infer<T>[]> {
	const found = await client.query<QueryResultRow>(sql);
	return found.rows.map((row) => schema.parse(row));
}
