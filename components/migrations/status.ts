import type { Client } from "pg";
import type { Connection } from "../database/connection";
import { digestOf } from "./digest";
import type { Migration } from "./migration";
import type { MigrationStatus, StatusOptions } from "./options";
import { planMigrations } from "./plan";
import { readRecords, readStoredSections, type StoredSections, targetDigest } from "./records";
import { openDatabase } from "./session";

const APPLICATION = "deployment-status";

/**
 * Compares a database with the wanted migrations. Reads only, and makes nothing.
 *
 * @throws DatabaseUnavailableError when the database does not exist or its server does not answer.
 */
export async function status({ target, wanted, allowOutOfOrder }: StatusOptions): Promise<MigrationStatus> {
	return reading(target, async (client) => {
		const upToDate = (await targetDigest(client)) === digestOf(wanted);
		const applied = await readRecords(client);
		const plan = upToDate
			? { apply: [], undo: [], problems: [] }
			: planMigrations(applied, wanted, allowOutOfOrder);
		const stored: Map<string, StoredSections> =
			plan.undo.length === 0
				? new Map()
				: await readStoredSections(
						client,
						plan.undo.map(({ version }) => version),
					);
		return { applied, plan, stored };
	});
}

/**
 * Whether exactly the wanted migrations are applied to a database. Compares one row, however many they are.
 *
 * @throws DatabaseUnavailableError when the database does not exist or its server does not answer.
 */
export async function isUpToDate(
	target: Connection,
	wanted: readonly Pick<Migration, "version" | "name" | "checksum">[],
): Promise<boolean> {
	return reading(target, async (client) => (await targetDigest(client)) === digestOf(wanted));
}

async function reading<T>(target: Connection, work: (client: Client) => Promise<T>): Promise<T> {
	const client = await openDatabase(target, APPLICATION);
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}
