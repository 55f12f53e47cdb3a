import { type Connection, connect } from "../../components/database/connection";
import { until } from "./waiting";

/** Something in a database that a transaction of the test holds, so that whoever wants it waits. */
export interface Hold {
	/** Waits until another session waits for it. */
	untilAwaited(): Promise<void>;
	release(): Promise<void>;
}

/**
 * Opens a transaction that holds what a statement locks.
 *
 * @param statement such as `LOCK TABLE cameras IN ROW EXCLUSIVE MODE`
 */
export async function hold(connection: Connection, statement: string): Promise<Hold> {
	const client = await connect(connection, { applicationName: "test" });
	await client.query("BEGIN");
	await client.query(statement);
	return {
		async untilAwaited() {
			await until(`a session waits for what ${statement} holds`, async () => {
				const { rows } = await client.query(
					"SELECT FROM pg_locks AS waiting WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(waiting.pid))",
				);
				return rows.length > 0 || undefined;
			});
		},
		release: () => client.end(),
	};
}
