import type { Node, RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";
import type { TargetSession } from "./session";

/**
 * Clears away what an interrupted CONCURRENTLY has left: the invalid index that it was building, or the shadow of one
 * that it was rebuilding.
 *
 * @param sent whether the statement was under way when an earlier run was interrupted
 * @returns whether the statement turns out to be done.
 */
export async function repairIndexes(session: TargetSession, node: Node, sent: boolean): Promise<boolean> {
	if ("IndexStmt" in node && node.IndexStmt.concurrent && node.IndexStmt.idxname) {
		const { idxname, relation } = node.IndexStmt;
		const index = await findIndex(session, idxname, relation);
		if (!index) return false;
		if (index.valid) return sent;
		session.log(`index ${index.name} is invalid after an interrupted build: it is dropped and built again`);
		await dropIndex(session, index.name);
	} else if ("DropStmt" in node && node.DropStmt.concurrent && sent) {
		const names = (node.DropStmt.objects ?? []).map(qualifiedName);
		const { rows } = await session.client.query(
			"SELECT count(to_regclass(name))::integer AS present FROM unnest($1::text[]) AS name",
			[names],
		);
		return rows[0].present === 0;
	} else if ("ReindexStmt" in node && node.ReindexStmt.relation && sent) {
		for (const name of await shadowIndexes(session, quoted(node.ReindexStmt.relation))) {
			session.log(`index ${name} is left from an interrupted REINDEX: it is dropped`);
			await dropIndex(session, name);
		}
	}
	return false;
}

interface FoundIndex {
	/** Quoted, with its schema. */
	name: string;
	valid: boolean;
}

/** An index lives in the schema of its table, and may be there for another table of the same schema. */
async function findIndex(
	{ client }: TargetSession,
	name: string,
	relation: RangeVar | undefined,
): Promise<FoundIndex | undefined> {
	const { rows } = await client.query(
		`SELECT format('%I.%I', nspname, index.relname) AS name, indisvalid AS valid
		FROM pg_index
		JOIN pg_class AS index ON index.oid = indexrelid
		JOIN pg_namespace ON pg_namespace.oid = index.relnamespace
		WHERE indrelid = to_regclass($1) AND index.relname = $2`,
		[relation ? quoted(relation) : null, name],
	);
	return rows[0];
}

async function shadowIndexes({ client }: TargetSession, relation: string): Promise<string[]> {
	const { rows } = await client.query(
		`SELECT format('%I.%I', nspname, index.relname) AS name
		FROM pg_index
		JOIN pg_class AS index ON index.oid = indexrelid
		JOIN pg_namespace ON pg_namespace.oid = index.relnamespace
		WHERE NOT indisvalid AND index.relname ~ '_cc(new|old)\\d*$'
			AND indrelid IN (
				SELECT to_regclass($1)::oid
				UNION ALL SELECT indrelid FROM pg_index WHERE indexrelid = to_regclass($1)
			)`,
		[relation],
	);
	return rows.map((row) => row.name);
}

async function dropIndex({ client }: TargetSession, name: string): Promise<void> {
	await client.query("SET lock_timeout = 0");
	await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

function quoted({ schemaname, relname }: RangeVar): string {
	return [schemaname, relname].flatMap((part) => (part ? [escapeIdentifier(part)] : [])).join(".");
}

/** The name in a DROP statement, quoted. */
function qualifiedName(object: Node): string {
	const items = "List" in object ? (object.List.items ?? []) : [];
	return items
		.flatMap((item) => ("String" in item && item.String.sval ? [escapeIdentifier(item.String.sval)] : []))
		.join(".");
}
