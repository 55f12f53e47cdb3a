import type { ColumnDef, Constraint, Node } from "libpg-query";
import { isSerial, possibleDomain } from "./built-in-types";
import { effect, type RelationLock, relationText, type StatementEffect, together } from "./statement-effect";

/**
 * What ALTER TABLE … ADD COLUMN does. A default that is the same for every row is kept in the catalog; anything else is
 * computed for each row.
 *
 * @see https://www.postgresql.org/docs/18/sql-altertable.html#SQL-ALTERTABLE-NOTES
 */
export function addColumnEffect(column: ColumnDef, table: string): StatementEffect {
	const constraints = (column.constraints ?? []).flatMap((node) =>
		"Constraint" in node ? [node.Constraint] : [],
	);
	const parts = [effect("catalog only", [{ relation: table, mode: "ACCESS EXCLUSIVE" }])];
	if (isSerial(column.typeName)) parts.push(REWRITE);
	const domain = possibleDomain(column.typeName);
	if (domain !== undefined) {
		parts.push(
			effect("catalog only", [], { notes: [`rewrites the table if ${domain} is a domain with constraints`] }),
		);
	}
	const filled = constraints.some(({ contype }) =>
		["CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"].includes(contype ?? ""),
	);
	for (const constraint of constraints) parts.push(columnConstraint(constraint, table, filled));
	return together(parts);
}

const REWRITE = effect("rewrites the table", []);

function columnConstraint(constraint: Constraint, table: string, filled: boolean): StatementEffect {
	switch (constraint.contype) {
		case "CONSTR_DEFAULT":
			return defaultEffect(constraint.raw_expr);
		case "CONSTR_IDENTITY":
			return REWRITE;
		case "CONSTR_GENERATED":
			return constraint.generated_kind === "v" ? effect("catalog only", []) : REWRITE;
		case "CONSTR_NOTNULL":
			return filled ? effect("catalog only", []) : effect("scans the table", []);
		case "CONSTR_FOREIGN":
			// A column that is NULL in every row refers to nothing.
			return filled
				? constraintEffect(constraint, table)
				: effect("catalog only", constraintEffect(constraint, table).locks);
		case "CONSTR_CHECK":
		case "CONSTR_UNIQUE":
		case "CONSTR_PRIMARY":
			return constraintEffect(constraint, table);
		default:
			return effect("catalog only", []);
	}
}

/** Functions that give one value for a whole statement. */
const STABLE =
	/^(now|transaction_timestamp|statement_timestamp|current_setting|to_timestamp|to_date|date_trunc|make_interval|make_date|lower|upper|md5|jsonb?_build_(object|array)|to_jsonb?)$/;
/** Functions that give another value for each row. */
const VOLATILE =
	/^(random|gen_random_uuid|uuidv4|uuidv7|uuid_generate_v\w+|clock_timestamp|timeofday|nextval)$/;

function defaultEffect(value: Node | undefined): StatementEffect {
	const called = functionsIn(value);
	if (called.every((name) => STABLE.test(name))) return effect("catalog only", []);
	const unknown = called.filter((name) => !STABLE.test(name) && !VOLATILE.test(name));
	return effect("rewrites the table", [], {
		notes:
			called.some((name) => VOLATILE.test(name)) || unknown.length === 0
				? []
				: [`only the catalog changes if ${unknown.join(", ")} is not volatile`],
	});
}

function functionsIn(value: unknown): string[] {
	if (Array.isArray(value)) return value.flatMap(functionsIn);
	if (typeof value !== "object" || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => {
		if (key !== "FuncCall") return functionsIn(inner);
		const last = (inner.funcname as Node[]).at(-1);
		const name = last && "String" in last ? (last.String.sval ?? "") : "";
		return [name, ...functionsIn(inner.args)];
	});
}

/** What a constraint does that is added to a table with rows. */
export function constraintEffect(constraint: Constraint, table: string): StatementEffect {
	const { contype, skip_validation, indexname, pktable, is_enforced } = constraint;
	const own: RelationLock = { relation: table, mode: "ACCESS EXCLUSIVE" };
	const isChecked = !skip_validation && is_enforced !== false;
	switch (contype) {
		case "CONSTR_FOREIGN": {
			const locks: RelationLock[] = [
				{ relation: table, mode: "SHARE ROW EXCLUSIVE" },
				{ relation: relationText(pktable), mode: "SHARE ROW EXCLUSIVE" },
			];
			return effect(isChecked ? "scans the table" : "catalog only", locks);
		}
		case "CONSTR_CHECK":
			return effect(isChecked ? "scans the table" : "catalog only", [own]);
		case "CONSTR_NOTNULL":
			return effect(isChecked ? "scans the table" : "catalog only", [own], {
				notes: isChecked ? [NULLS_KNOWN] : [],
			});
		case "CONSTR_PRIMARY":
			return indexname === undefined
				? effect("builds an index", [own])
				: effect("catalog only", [own], { notes: ["scans the table if a column of the key may be NULL"] });
		case "CONSTR_UNIQUE":
		case "CONSTR_EXCLUSION":
			return effect(indexname === undefined ? "builds an index" : "catalog only", [own]);
		default:
			return effect("unknown", [own]);
	}
}

export const NULLS_KNOWN = "only the catalog changes if a valid CHECK constraint rules NULL out already";
