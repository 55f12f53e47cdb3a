import { escapeIdentifier } from "pg";
import { type Connection, connect } from "../../components/database/connection";
import { until } from "./waiting";

/** A table that a transaction of the test holds, so that whoever wants to change it waits. */
export interface HeldTable {
	/** Waits until another session waits for the table. */
	untilAwaited(): Promise<void>;
	release(): Promise<void>;
}

/**
 * Opens a transaction that holds a table.
 *
 * @param mode PostgreSQL's name of the lock; readers of the table are not held up unless it is ACCESS EXCLUSIVE
 */
export async function heldTable(
	connection: Connection,
	table: string,
	mode: "ROW EXCLUSIVE" | "ACCESS EXCLUSIVE" = "ROW EXCLUSIVE",
): Promise<HeldTable> {
	const client = await connect(connection, { applicationName: "test" });
	await client.query(`BEGIN; LOCK TABLE ${escapeIdentifier(table)} IN ${mode} MODE`);
	return {
		async untilAwaited() {
			await until(`a session waits for ${table}`, async () => {
				const { rows } = await client.query(
					"SELECT FROM pg_locks AS waiting WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(waiting.pid))",
				);
				return rows.length > 0 || undefined;
			});
		},
		release: () => client.end(),
	};
}
