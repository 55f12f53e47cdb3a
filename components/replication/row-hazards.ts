import type { Node, RangeVar } from "libpg-query";
import { type Finding, note, warning } from "./finding";
import { type LiveSchema, textOf } from "./live-schema";

/** What a statement does to rows of the live side's tables, as far as it can be read. */
export function rowHazards(node: Node, live: LiveSchema): Finding[] {
	if ("DoStmt" in node) return [note(`runs a DO block, and what that does to live tables is not known`)];
	if ("CallStmt" in node) {
		const name = (node.CallStmt.funccall?.funcname ?? []).map(textOf).join(".");
		return [note(`calls ${name}, and what that does to live tables is not known`)];
	}
	// What a function or a rule would do is not done by making it.
	if ("CreateFunctionStmt" in node || "RuleStmt" in node) return [];
	if ("TruncateStmt" in node) {
		return (node.TruncateStmt.relations ?? []).flatMap((relation) =>
			"RangeVar" in relation ? overwrites("TRUNCATE", relation.RangeVar, live) : [],
		);
	}
	if ("CopyStmt" in node && node.CopyStmt.is_from) return inserts("COPY", node.CopyStmt.relation, live);
	return [...changesIn(node, live), ...calledIn(node)];
}

/** They may stand in a WITH clause. */
function changesIn(value: unknown, live: LiveSchema): Finding[] {
	if (Array.isArray(value)) return value.flatMap((item) => changesIn(item, live));
	if (typeof value !== "object" || value === null) return [];
	return Object.entries(value).flatMap(([kind, inner]) => [
		...changeOf(kind, inner, live),
		...changesIn(inner, live),
	]);
}

function changeOf(
	kind: string,
	body: { relation?: RangeVar; onConflictClause?: { action?: string } },
	live: LiveSchema,
): Finding[] {
	switch (kind) {
		case "DeleteStmt":
			return overwrites("DELETE", body.relation, live);
		case "UpdateStmt":
			return overwrites("UPDATE", body.relation, live);
		case "MergeStmt":
			return overwrites("MERGE", body.relation, live);
		case "InsertStmt":
			return body.onConflictClause?.action === "ONCONFLICT_UPDATE"
				? [
						...inserts("INSERT", body.relation, live),
						...overwrites("ON CONFLICT DO UPDATE", body.relation, live),
					]
				: inserts("INSERT", body.relation, live);
		default:
			return [];
	}
}

function overwrites(kind: string, relation: RangeVar | undefined, live: LiveSchema): Finding[] {
	const table = live.find(relation);
	return table
		? [
				warning(
					`${kind} of rows of ${table.shown}: what the live release writes meanwhile arrives later and wins`,
					"make the new release bear rows that it has not reached, or repeat it in a release after",
				),
			]
		: [];
}

function inserts(kind: string, relation: RangeVar | undefined, live: LiveSchema): Finding[] {
	const table = live.find(relation);
	return table
		? [
				warning(
					`${kind} into ${table.shown}: a row of the live release that has the same key stops the replication`,
					"give keys that the live release cannot give out, and none from a sequence",
				),
			]
		: [];
}

/** PostgreSQL's own functions that migrations call, which write no rows. */
const HARMLESS = /^(pg_.*|setval|nextval|set_config|current_setting|count|max|min|now|format)$/;

function calledIn(node: Node): Finding[] {
	if (!("SelectStmt" in node)) return [];
	return (node.SelectStmt.targetList ?? []).flatMap((target) => {
		const value = "ResTarget" in target ? target.ResTarget.val : undefined;
		const parts = value && "FuncCall" in value ? (value.FuncCall.funcname ?? []).map(textOf) : [];
		return parts.length === 0 || parts[0] === "pg_catalog" || HARMLESS.test(parts.at(-1)!)
			? []
			: [note(`calls ${parts.join(".")}, and what that does to live tables is not known`)];
	});
}
