import { type Connection, connect } from "../../components/database/connection";
import { until } from "./waiting";

/** Something in a database that a transaction of the test holds, so that whoever wants it waits. */
export interface Hold {
	/** Waits until another session waits for it. */
	untilAwaited(): Promise<void>;
	/** Waits until no session waits for it any more: a killed one's server process needs a moment to notice. */
	untilForsaken(): Promise<void>;
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
	const isAwaited = async () => {
		const { rows } = await client.query(
			"SELECT FROM pg_locks AS waiting WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(waiting.pid))",
		);
		return rows.length > 0;
	};
	return {
		async untilAwaited() {
			await until(
				`a session waits for what ${statement} holds`,
				async () => (await isAwaited()) || undefined,
			);
		},
		async untilForsaken() {
			await until(
				`no session waits for what ${statement} holds`,
				async () => !(await isAwaited()) || undefined,
			);
		},
		release: () => client.end(),
	};
}
