import { type Client, escapeLiteral } from "pg";
import { withShortLock } from "../traffic/write-fence";
import type { ReplicatedTable } from "./tables";

/** Longest wait for a table behind which its writers queue, in milliseconds. */
const TABLE_LOCK_MS = 200;

/**
 * Lets the rows of tables without a key be told apart by all their columns, and writes down which tables were changed
 * so. Must come before a table is published: PostgreSQL refuses to change published rows that it cannot tell apart.
 *
 * @param timeoutMs milliseconds for all of it
 */
export async function identifyRows(
	client: Client,
	tables: readonly ReplicatedTable[],
	timeoutMs: number,
): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	await client.query(
		"CREATE TABLE IF NOT EXISTS deployment.replica_identities_set (table_name text PRIMARY KEY)",
	);
	for (const { sql, leaves, partitioned } of tables.filter(({ identity }) => identity === "full")) {
		const names = partitioned ? [sql, ...leaves.map((leaf) => leaf.sql)] : [sql];
		for (const name of names) {
			if (!(await isFull(client, name))) {
				await withShortLock(client, name, deadline, () =>
					client.query(
						`BEGIN; SET LOCAL lock_timeout = ${TABLE_LOCK_MS};
						INSERT INTO deployment.replica_identities_set VALUES (${escapeLiteral(name)}) ON CONFLICT DO NOTHING;
						ALTER TABLE ${name} REPLICA IDENTITY FULL; COMMIT`,
					),
				);
			}
		}
	}
}

/** Gives the tables back the identity that {@link identifyRows} took from them, once nothing is published any more. */
export async function restoreIdentities(client: Client, timeoutMs: number): Promise<void> {
	const { rows: present } = await client.query(
		"SELECT to_regclass('deployment.replica_identities_set') IS NOT NULL AS made, EXISTS (SELECT FROM pg_publication) AS published",
	);
	if (!present[0].made || present[0].published) {
		return;
	}
	const deadline = performance.now() + timeoutMs;
	const { rows } = await client.query<{ name: string }>(
		"SELECT table_name AS name FROM deployment.replica_identities_set WHERE to_regclass(table_name) IS NOT NULL",
	);
	for (const { name } of rows) {
		await withShortLock(client, name, deadline, () =>
			client.query(
				`BEGIN; SET LOCAL lock_timeout = ${TABLE_LOCK_MS};
				ALTER TABLE ${name} REPLICA IDENTITY DEFAULT;
				DELETE FROM deployment.replica_identities_set WHERE table_name = ${escapeLiteral(name)}; COMMIT`,
			),
		);
	}
}

async function isFull(client: Client, name: string): Promise<boolean> {
	const { rows } = await client.query(
		"SELECT relreplident = 'f' AS full FROM pg_class WHERE oid = $1::regclass",
		[name],
	);
	return rows[0]?.full === true;
}
