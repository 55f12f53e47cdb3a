import type { ClientBase } from "pg";
import { statementsOf } from "../migrations/statements";
import { error, type Finding, note, warning } from "./finding";
import type { PlannedSection } from "./hazards";
import { relationKey } from "./live-schema";
import { qualifiedName, shownName } from "./tables";

interface Relation {
	schema: string;
	name: string;
	kind: "r" | "m" | "f";
	partition: boolean;
}

/** Data of the live database that logical replication does not carry. */
export async function unreplicatedData(
	client: ClientBase,
	sections: readonly PlannedSection[],
): Promise<Finding[]> {
	const findings = await largeObjects(client);
	const refreshed = await refreshedViews(sections);
	for (const relation of await relationsLeftOut(client)) {
		const { schema, name, kind } = relation;
		const shown = shownName(relation);
		const sql = qualifiedName(schema, name);
		if (kind === "r") {
			findings.push(await unloggedTable(client, shown, sql));
		} else if (kind === "f") {
			findings.push(foreignTable(shown, relation.partition));
		} else if (!refreshed.has(sql)) {
			findings.push(
				warning(
					`materialized view ${shown} is not replicated: on the idle colour it holds what it held when its migration made it`,
					`bring REFRESH MATERIALIZED VIEW ${shown} in a migration of this release`,
				),
			);
		}
	}
	return findings;
}

async function largeObjects(client: ClientBase): Promise<Finding[]> {
	const { rows } = await client.query("SELECT count(*)::integer AS count FROM pg_largeobject_metadata");
	const { count } = rows[0];
	return count > 0
		? [
				error(
					`the live database holds ${count} large ${count === 1 ? "object, which is" : "objects, which are"} not replicated`,
					"move them into bytea columns, or remove them with lo_unlink",
				),
			]
		: [];
}

async function relationsLeftOut(client: ClientBase): Promise<Relation[]> {
	const { rows } = await client.query<Relation>(
		`SELECT nspname AS schema, relname AS name, relkind AS kind, relispartition AS partition
		FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
		WHERE ((relkind = 'r' AND relpersistence = 'u') OR relkind = 'f' OR (relkind = 'm' AND relispopulated))
			AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'deployment')
			AND NOT EXISTS (
				SELECT FROM pg_depend
				WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND objsubid = 0 AND deptype = 'e'
			)
		ORDER BY nspname COLLATE "C", relname COLLATE "C"`,
	);
	return rows;
}

async function unloggedTable(client: ClientBase, shown: string, sql: string): Promise<Finding> {
	const { rows } = await client.query(`SELECT EXISTS (SELECT FROM ONLY ${sql}) AS filled`);
	const mend = `bring ALTER TABLE ${shown} SET LOGGED in a release before`;
	return rows[0].filled
		? error(`table ${shown} is unlogged and holds rows, which are not replicated`, `${mend}, or empty it`)
		: warning(`table ${shown} is unlogged: rows that are written into it are not replicated`, mend);
}

function foreignTable(shown: string, partition: boolean): Finding {
	return partition
		? error(
				`partition ${shown} is a foreign table, whose rows are not replicated`,
				"detach it from its partitioned table in a release before",
			)
		: note(
				`foreign table ${shown} is made by its migration on both colours, and its rows stay where they are`,
			);
}

async function refreshedViews(sections: readonly PlannedSection[]): Promise<Set<string>> {
	const statements = await Promise.all(sections.map(({ section }) => statementsOf(section)));
	return new Set(
		statements.flat().flatMap(({ node }) => {
			const relation = "RefreshMatViewStmt" in node ? node.RefreshMatViewStmt.relation : undefined;
			return relation === undefined ? [] : [relationKey(relation)];
		}),
	);
}
