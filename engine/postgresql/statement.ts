import { type Client, DatabaseError } from "pg";

/** Who a session is. */
export interface Session {
	client: Client;
	user: string;
	isSuperuser: boolean;
	/** E.g. 160004. */
	serverVersion: number;
}

/**
 * Runs one statement and says what it was for when it fails. Statements with passwords contain their hash only, so
 * that neither the error nor the server's log can tell them.
 *
 * @throws Error with the server's message, detail, hint and code.
 */
export async function execute(client: Client, purpose: string, statement: string): Promise<void> {
	try {
		await client.query(statement);
	} catch (cause) {
		throw new Error(`could not ${purpose}: ${explain(cause)}`, { cause });
	}
}

function explain(cause: unknown): string {
	if (!(cause instanceof DatabaseError)) {
		return cause instanceof Error ? cause.message : String(cause);
	}
	const { message, detail, hint, code } = cause;
	return [`${message} (${code})`, detail, hint].filter((part) => part !== undefined).join("; ");
}
