import type { Node, RangeVar } from "libpg-query";
import { escapeIdentifier } from "pg";

/** Rows that a statement may destroy. */
export type Destruction =
	/** `rows` go; with `cascade` those that refer to them as well. */
	| { what: "rows"; table: string; cascade: boolean; gone: boolean }
	/** Rows stay, their values are overwritten. */
	| { what: "values"; table: string }
	/** Columns go, or are rewritten. */
	| { what: "columns"; table: string; columns: string[] }
	/** All tables of a schema go. */
	| { what: "schema"; schema: string }
	/** What goes cannot be read from the statement. */
	| { what: "unknown"; statement: string };

/** Reads from a statement of a down section which rows it may destroy. Views and indexes hold none of their own. */
export function destructionsOf(node: Node): Destruction[] {
	if ("DropStmt" in node) return dropped(node.DropStmt);
	if ("AlterTableStmt" in node) return altered(node.AlterTableStmt);
	if ("TruncateStmt" in node) {
		const cascade = node.TruncateStmt.behavior === "DROP_CASCADE";
		return (node.TruncateStmt.relations ?? []).flatMap((relation) =>
			"RangeVar" in relation ? [{ what: "rows", table: quoted(relation.RangeVar), cascade, gone: true }] : [],
		);
	}
	if ("DropOwnedStmt" in node) return [{ what: "unknown", statement: "DROP OWNED" }];
	if ("DoStmt" in node) return [{ what: "unknown", statement: "a DO block" }];
	if ("CallStmt" in node) return [{ what: "unknown", statement: "CALL" }];
	// What a function or a rule would do is not done by making it.
	if ("CreateFunctionStmt" in node || "RuleStmt" in node) return [];
	return changesIn(node);
}

function dropped({
	objects = [],
	removeType,
	behavior,
}: Extract<Node, { DropStmt: unknown }>["DropStmt"]): Destruction[] {
	if (removeType === "OBJECT_TABLE") {
		return objects.map((object) => ({ what: "rows", table: quotedName(object), cascade: false, gone: true }));
	}
	if (removeType === "OBJECT_SCHEMA") {
		return objects.flatMap((object) =>
			"String" in object && object.String.sval ? [{ what: "schema", schema: object.String.sval }] : [],
		);
	}
	const typesWithColumns = ["OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_EXTENSION"];
	return behavior === "DROP_CASCADE" && typesWithColumns.includes(removeType ?? "")
		? [{ what: "unknown", statement: `DROP ${removeType?.slice("OBJECT_".length)} … CASCADE` }]
		: [];
}

function altered({
	relation,
	cmds = [],
}: Extract<Node, { AlterTableStmt: unknown }>["AlterTableStmt"]): Destruction[] {
	const columns = cmds.flatMap((command) => {
		if (!("AlterTableCmd" in command) || !command.AlterTableCmd.name) return [];
		const { subtype, name } = command.AlterTableCmd;
		return subtype === "AT_DropColumn" || subtype === "AT_AlterColumnType" ? [name] : [];
	});
	return relation && columns.length > 0 ? [{ what: "columns", table: quoted(relation), columns }] : [];
}

/** DELETE, UPDATE and MERGE anywhere in a statement: they may stand in a WITH clause. */
function changesIn(value: unknown): Destruction[] {
	if (Array.isArray(value)) return value.flatMap(changesIn);
	if (typeof value !== "object" || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => [...changeOf(key, inner), ...changesIn(inner)]);
}

function changeOf(
	kind: string,
	body: { relation?: RangeVar; onConflictClause?: { action?: string } },
): Destruction[] {
	if (!body?.relation) return [];
	const table = quoted(body.relation);
	if (kind === "DeleteStmt") return [{ what: "rows", table, cascade: true, gone: false }];
	if (kind === "UpdateStmt") return [{ what: "values", table }];
	if (kind === "MergeStmt") {
		return [
			{ what: "rows", table, cascade: true, gone: false },
			{ what: "values", table },
		];
	}
	const overwrites = kind === "InsertStmt" && body.onConflictClause?.action === "ONCONFLICT_UPDATE";
	return overwrites ? [{ what: "values", table }] : [];
}

function quoted({ schemaname, relname }: RangeVar): string {
	return [schemaname, relname].flatMap((part) => (part ? [escapeIdentifier(part)] : [])).join(".");
}

/** A name in a DROP statement. */
function quotedName(object: Node): string {
	const items = "List" in object ? (object.List.items ?? []) : [];
	return items
		.flatMap((item) => ("String" in item && item.String.sval ? [escapeIdentifier(item.String.sval)] : []))
		.join(".");
}
