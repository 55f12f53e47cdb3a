import type { Node, RangeVar } from "libpg-query";
import { hasOption } from "../transaction-rules";
import { alterTableEffect } from "./alter-table-locks";
import { createTableEffect } from "./create-table-locks";
import { LOCK_MODES, type LockMode } from "./lock-modes";
import { namedObjectEffect } from "./named-object-locks";
import { rowsEffect } from "./row-locks";
import {
	effect,
	madeNames,
	type RelationLock,
	relationText,
	type StatementEffect,
	together,
} from "./statement-effect";

/**
 * What a statement locks, and how long its work takes, by the lock table of PostgreSQL's documentation. Tables are those
 * that the statement names; what a foreign key, a trigger or a function touches besides is told in notes where it can be.
 *
 * @see https://www.postgresql.org/docs/18/explicit-locking.html#LOCKING-TABLES
 */
export function effectOf(node: Node): StatementEffect {
	if ("AlterTableStmt" in node) return alterTableEffect(node.AlterTableStmt);
	if ("CreateStmt" in node) return createTableEffect(node.CreateStmt);
	if ("IndexStmt" in node) {
		const { concurrent, relation, idxname, if_not_exists } = node.IndexStmt;
		return effect("builds an index", [on(relation, concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE")], {
			// An index lies in the schema of its table.
			makes: idxname === undefined ? [] : madeNames({ ...relation, relname: idxname }, if_not_exists),
		});
	}
	if ("ReindexStmt" in node) return reindexed(node.ReindexStmt);
	if ("TruncateStmt" in node) {
		const cascade = node.TruncateStmt.behavior === "DROP_CASCADE";
		return effect("catalog only", all(node.TruncateStmt.relations, "ACCESS EXCLUSIVE"), {
			notes: cascade ? ["ACCESS EXCLUSIVE on tables that refer to it as well"] : [],
		});
	}
	if ("VacuumStmt" in node) return vacuumed(node.VacuumStmt);
	if ("ClusterStmt" in node) {
		const { relation } = node.ClusterStmt;
		const lock: RelationLock = {
			relation: relation ? relationText(relation) : "every clustered table",
			mode: "ACCESS EXCLUSIVE",
		};
		return effect("rewrites the table", [lock]);
	}
	if ("LockStmt" in node) {
		// The parser numbers the modes from 1, in this order.
		const mode = LOCK_MODES[(node.LockStmt.mode ?? LOCK_MODES.length) - 1]!;
		return effect("catalog only", all(node.LockStmt.relations, mode));
	}
	if ("RefreshMatViewStmt" in node) {
		const { relation, concurrent } = node.RefreshMatViewStmt;
		const lock = on(relation, concurrent ? "EXCLUSIVE" : "ACCESS EXCLUSIVE");
		return effect(concurrent ? "scans the table" : "rewrites the table", [lock], {
			notes: ["ACCESS SHARE on the tables that it selects from"],
		});
	}
	if ("CreateTrigStmt" in node) {
		const { relation, constrrel } = node.CreateTrigStmt;
		return effect("catalog only", [
			on(relation, "SHARE ROW EXCLUSIVE"),
			...(constrrel ? [on(constrrel, "ACCESS SHARE")] : []),
		]);
	}
	if ("RuleStmt" in node) return catalog(node.RuleStmt.relation, "ACCESS EXCLUSIVE");
	if ("CreatePolicyStmt" in node) return catalog(node.CreatePolicyStmt.table, "ACCESS EXCLUSIVE");
	if ("AlterPolicyStmt" in node) return catalog(node.AlterPolicyStmt.table, "ACCESS EXCLUSIVE");
	if ("AlterSeqStmt" in node) return catalog(node.AlterSeqStmt.sequence, "SHARE ROW EXCLUSIVE");
	if ("CreateStatsStmt" in node) {
		return effect("catalog only", all(node.CreateStatsStmt.relations, "SHARE UPDATE EXCLUSIVE"));
	}
	return publicationEffect(node) ?? namedObjectEffect(node) ?? rowsEffect(node);
}

function reindexed({
	kind,
	relation,
	params,
	name,
}: Extract<Node, { ReindexStmt: unknown }>["ReindexStmt"]): StatementEffect {
	const mode = hasOption(params, "concurrently") ? "SHARE UPDATE EXCLUSIVE" : "SHARE";
	if (kind === "REINDEX_OBJECT_TABLE") return effect("builds an index", [on(relation, mode)]);
	if (kind !== "REINDEX_OBJECT_INDEX") {
		return effect("builds an index", [{ relation: `every table of ${name ?? "the database"}`, mode }]);
	}
	return effect("builds an index", [{ relation: `the table of ${relationText(relation)}`, mode }], {
		notes: mode === "SHARE" ? ["queries that may use the index wait as well: ACCESS EXCLUSIVE on it"] : [],
	});
}

function vacuumed({
	rels = [],
	options,
	is_vacuumcmd,
}: Extract<Node, { VacuumStmt: unknown }>["VacuumStmt"]): StatementEffect {
	const full = is_vacuumcmd === true && hasOption(options, "full");
	const mode = full ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE";
	const locks = rels.flatMap((each): RelationLock[] =>
		"VacuumRelation" in each ? [on(each.VacuumRelation.relation, mode)] : [],
	);
	return effect(
		full ? "rewrites the table" : "scans the table",
		locks.length > 0 ? locks : [{ relation: "every table in turn", mode }],
	);
}

/** Only what is added to or taken out of a publication is locked. */
function publicationEffect(node: Node): StatementEffect | undefined {
	const statement =
		"CreatePublicationStmt" in node
			? node.CreatePublicationStmt
			: "AlterPublicationStmt" in node
				? node.AlterPublicationStmt
				: undefined;
	return (
		statement &&
		together([
			effect("catalog only", []),
			...(statement.pubobjects ?? []).flatMap((each) => {
				const table = "PublicationObjSpec" in each ? each.PublicationObjSpec.pubtable : undefined;
				return table ? [catalog(table.relation, "SHARE UPDATE EXCLUSIVE")] : [];
			}),
		])
	);
}

function catalog(relation: RangeVar | undefined, mode: LockMode): StatementEffect {
	return effect("catalog only", [on(relation, mode)]);
}

function on(relation: RangeVar | undefined, mode: LockMode): RelationLock {
	return { relation: relationText(relation), mode };
}

function all(relations: readonly Node[] | undefined, mode: LockMode): RelationLock[] {
	return (relations ?? []).flatMap((node) => ("RangeVar" in node ? [on(node.RangeVar, mode)] : []));
}
