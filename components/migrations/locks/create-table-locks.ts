import type { CreateStmt, Node } from "libpg-query";
import { effect, madeNames, type RelationLock, relationText, type StatementEffect } from "./statement-effect";

/** What CREATE TABLE does to the tables that are there already: those that it refers to, belongs to or is made like. */
export function createTableEffect(statement: CreateStmt): StatementEffect {
	const own = relationText(statement.relation);
	const inherited = (statement.inhRelations ?? []).flatMap((node): RelationLock[] =>
		"RangeVar" in node
			? [
					{
						relation: relationText(node.RangeVar),
						mode: statement.partbound ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE",
					},
				]
			: [],
	);
	const locks = [...inherited, ...referredBy(statement.tableElts)].filter(({ relation }) => relation !== own);
	return effect("catalog only", locks, {
		makes: madeNames(statement.relation, statement.if_not_exists),
		notes: statement.partbound ? ["ACCESS EXCLUSIVE on a default partition as well, which it scans"] : [],
	});
}

function referredBy(elements: readonly Node[] = []): RelationLock[] {
	return elements.flatMap((element): RelationLock[] => {
		if ("ColumnDef" in element) return referredBy(element.ColumnDef.constraints);
		if ("TableLikeClause" in element) {
			return [{ relation: relationText(element.TableLikeClause.relation), mode: "ACCESS SHARE" }];
		}
		return "Constraint" in element && element.Constraint.pktable
			? [{ relation: relationText(element.Constraint.pktable), mode: "SHARE ROW EXCLUSIVE" }]
			: [];
	});
}
