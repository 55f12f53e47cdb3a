import type { Node, RangeVar } from "libpg-query";
import { effect, madeNames, type RelationLock, relationText, type StatementEffect } from "./statement-effect";

/**
 * What statements on rows lock: ROW EXCLUSIVE where rows are changed, ROW SHARE where they are locked, ACCESS SHARE where
 * they are read. Rows that are changed stay locked for other writers of the same rows besides.
 */
export function rowsEffect(node: Node): StatementEffect {
	if ("DoStmt" in node) return unknown("a DO block");
	if ("CallStmt" in node) return unknown("a procedure");
	if ("CopyStmt" in node) {
		const { relation, is_from, query } = node.CopyStmt;
		if (is_from) {
			return effect("changes rows", [{ relation: relationText(relation), mode: "ROW EXCLUSIVE" }]);
		}
		return relation === undefined
			? rowsEffect(query!)
			: effect("reads rows", [{ relation: relationText(relation), mode: "ACCESS SHARE" }]);
	}
	const changed = changedIn(node);
	const locks = [...changed, ...readIn(node, commonTables(node))];
	if (changed.length > 0) return effect("changes rows", locks);
	if ("CreateTableAsStmt" in node) {
		const { into, if_not_exists } = node.CreateTableAsStmt;
		const own = relationText(into?.rel);
		return effect(
			"reads rows",
			locks.filter(({ relation }) => relation !== own),
			{ makes: madeNames(into?.rel, if_not_exists) },
		);
	}
	if (!("SelectStmt" in node)) return unknown("it");
	const makes = node.SelectStmt.intoClause ? madeNames(node.SelectStmt.intoClause.rel, false) : [];
	return callsFunction(node)
		? effect("unknown", locks, { makes, notes: ["what the functions lock and do cannot be read from here"] })
		: effect("reads rows", locks, { makes });
}

function unknown(what: string): StatementEffect {
	return effect("unknown", [], { notes: [`what ${what} locks and does cannot be read from here`] });
}

const CHANGING = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"];

/** They may stand in a WITH clause. */
function changedIn(value: unknown): RelationLock[] {
	return entriesOf(value).flatMap(([key, inner]) => {
		const target = CHANGING.includes(key) ? (inner as { relation?: RangeVar }).relation : undefined;
		const own: RelationLock[] = target ? [{ relation: relationText(target), mode: "ROW EXCLUSIVE" }] : [];
		return [...own, ...changedIn(inner)];
	});
}

function readIn(value: unknown, made: ReadonlySet<string>): RelationLock[] {
	return entriesOf(value).flatMap(([key, inner]): RelationLock[] => {
		if (key === "RangeVar") {
			const relation = inner as RangeVar;
			const isMade = relation.schemaname === undefined && made.has(relation.relname ?? "");
			return isMade ? [] : [{ relation: relationText(relation), mode: "ACCESS SHARE" }];
		}
		if (key === "SelectStmt" && hasLockingClause(inner)) {
			return readIn(inner, made).map((lock) => ({ ...lock, mode: "ROW SHARE" }));
		}
		return readIn(inner, made);
	});
}

function hasLockingClause(select: unknown): boolean {
	return ((select as { lockingClause?: unknown[] }).lockingClause ?? []).length > 0;
}

/** Names that a WITH clause gives. */
function commonTables(value: unknown): Set<string> {
	return new Set(
		entriesOf(value).flatMap(([key, inner]) => [
			...(key === "CommonTableExpr" ? [(inner as { ctename: string }).ctename] : []),
			...commonTables(inner),
		]),
	);
}

function callsFunction(value: unknown): boolean {
	return entriesOf(value).some(([key, inner]) => key === "FuncCall" || callsFunction(inner));
}

function entriesOf(value: unknown): [string, unknown][] {
	return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
