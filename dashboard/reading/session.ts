import type { Client } from "pg";
import { type Connection, connect } from "../../components/database/connection";

const STATEMENT_TIMEOUT_MS = 5000;
const OPTIONS = {
	applicationName: "deployment-dashboard",
	statementTimeoutMs: STATEMENT_TIMEOUT_MS,
	queryTimeoutMs: STATEMENT_TIMEOUT_MS + 2000,
	connectTimeoutMs: 5000,
};

/** One connection that can only read, kept from one reading to the next and made anew once it is lost. */
export class ReadingSession {
	private client: Client | undefined;

	constructor(readonly connection: Connection) {}

	/**
	 * Reads as of one moment.
	 *
	 * @throws Error naming the database (never a password) when it cannot be reached or read in time
	 */
	async read<T>(work: (client: Client) => Promise<T>): Promise<T> {
		this.client ??= await connect(this.connection, OPTIONS);
		const client = this.client;
		try {
			await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
			const found = await work(client);
			await client.query("COMMIT");
			return found;
		} catch (error) {
			// Not waited for: a server that has fallen silent does not say goodbye either.
			void this.close();
			throw error;
		}
	}

	async close(): Promise<void> {
		const client = this.client;
		this.client = undefined;
		await client?.end().catch(() => {});
	}
}
