import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientBase } from "pg";

const QUERY = readFileSync(join(__dirname, "excess-rights.sql"), "utf8");

/**
 * What roles may do in this database beyond what the stack declares, a line each: the service's role reads and changes
 * rows of `public` and nothing else, the owner has no powers over the server, and PUBLIC has nothing.
 *
 * @param application the service's role
 */
export async function excessRights(client: ClientBase, application: string): Promise<string[]> {
	const { rows } = await client.query<{ finding: string }>(QUERY, [application]);
	return rows.map(({ finding }) => finding);
}
