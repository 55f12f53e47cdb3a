import type { ClientBase } from "pg";
import { describeSchema, schemaDifferences } from "./drift";
import type { LinkEnds } from "./link-state";
import { linkName, nodeName } from "./node";

/** Writes down, on the receiving side of a link, the schema of its source: changes of that one are not replicated. */
export async function noteLinkedSchema({ from, to }: LinkEnds): Promise<void> {
	await to.client.query(
		"CREATE TABLE IF NOT EXISTS deployment.linked_schemas (link text PRIMARY KEY, described text[] NOT NULL)",
	);
	await to.client.query(
		`INSERT INTO deployment.linked_schemas VALUES ($1, $2)
		ON CONFLICT (link) DO UPDATE SET described = EXCLUDED.described`,
		[linkName(from.node, to.node), await describeSchema(from.client)],
	);
}

/**
 * Sees that nobody has changed the schema of a link's source since the link was made.
 *
 * @throws Error naming every difference
 */
export async function assertSchemaUnchanged({ from, to }: LinkEnds): Promise<void> {
	const noted = await notedSchema(to.client, linkName(from.node, to.node));
	const differences = noted === undefined ? [] : schemaDifferences(await describeSchema(from.client), noted);
	if (differences.length > 0) {
		throw new Error(
			`the schema of ${nodeName(from.node)} was changed by hand since ${nodeName(to.node)} was put in step with it, ` +
				`and such changes are not replicated; take them back, or bring them in a migration:\n${differences.map((line) => `  ${line}`).join("\n")}`,
		);
	}
}

async function notedSchema(client: ClientBase, link: string): Promise<string[] | undefined> {
	const { rows: found } = await client.query(
		"SELECT to_regclass('deployment.linked_schemas') IS NOT NULL AS made",
	);
	if (!found[0].made) {
		return undefined;
	}
	const { rows } = await client.query<{ described: string[] }>(
		"SELECT described FROM deployment.linked_schemas WHERE link = $1",
		[link],
	);
	return rows[0]?.described;
}
