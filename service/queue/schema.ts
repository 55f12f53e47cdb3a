import { readFileSync } from "node:fs";
import { type ClientBase, escapeIdentifier } from "pg";
import PgBoss from "pg-boss";
import { z } from "zod";

/** Where the library keeps its tables. */
export const SCHEMA = "pgboss";
/** The library's name of the one queue there is. */
export const QUEUE = "ingest";

/**
 * Brings the queue's database to what this service works with. Can be repeated.
 *
 * @param client as the database's owner
 * @param applicationRole the role that services use; it may add, take and finish jobs and change no table
 */
export async function prepareQueue(client: ClientBase, applicationRole: string): Promise<void> {
	const role = escapeIdentifier(applicationRole);
	const boss = new PgBoss({
		schema: SCHEMA,
		db: { executeSql: (text: string, values?: unknown[]) => client.query(text, values) },
		supervise: false,
		schedule: false,
	});
	await boss.start();
	await boss.createQueue(QUEUE);
	await boss.stop({ graceful: false });
	await client.query(
		`GRANT USAGE ON SCHEMA ${SCHEMA} TO ${role};
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${SCHEMA} TO ${role}`,
	);
}

const versionSchema = z.object({ schema: z.number() });

/** The version of the library's tables that this service works with. */
export function queueSchemaVersion(): number {
	const file = require.resolve("pg-boss/version.json");
	return versionSchema.parse(JSON.parse(readFileSync(file, "utf8"))).schema;
}
