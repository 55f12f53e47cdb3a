import type { AlterDomainStmt, DropStmt, Node, ObjectType, RenameStmt } from "libpg-query";
import {
	effect,
	madeNames,
	nameText,
	relationText,
	type StatementEffect,
	typedTables,
} from "./statement-effect";

/** What statements do that drop, rename, move, describe or make a named thing other than a table; undefined for others. */
export function namedObjectEffect(node: Node): StatementEffect | undefined {
	if ("DropStmt" in node) return dropped(node.DropStmt);
	if ("RenameStmt" in node) return renamed(node.RenameStmt);
	if ("AlterObjectSchemaStmt" in node) {
		const { relation } = node.AlterObjectSchemaStmt;
		return effect(
			"catalog only",
			relation ? [{ relation: relationText(relation), mode: "ACCESS EXCLUSIVE" }] : [],
		);
	}
	if ("CommentStmt" in node) return commented(node.CommentStmt.objtype, partsOf(node.CommentStmt.object));
	if ("ViewStmt" in node) {
		const { view, replace } = node.ViewStmt;
		const name = relationText(view);
		return replace
			? effect("catalog only", [{ relation: name, mode: "ACCESS EXCLUSIVE" }])
			: effect("catalog only", [], { makes: madeNames(view, false) });
	}
	if ("CreateSeqStmt" in node) {
		const { sequence, if_not_exists } = node.CreateSeqStmt;
		return effect("catalog only", [], { makes: madeNames(sequence, if_not_exists) });
	}
	if ("AlterDomainStmt" in node) return domainAltered(node.AlterDomainStmt);
	return LOCKING_NOTHING.some((kind) => kind in node) ? effect("catalog only", []) : undefined;
}

/** Looks through every column of the domain where rows could be against it. */
function domainAltered({ subtype = "", typeName = [], def }: AlterDomainStmt): StatementEffect {
	const isUnchecked = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true;
	// A constraint is added ("C"), NULL refused ("O"), or a constraint validated ("V").
	return ["C", "O", "V"].includes(subtype) && !isUnchecked
		? effect("scans the table", [
				{ relation: `every table with a column of ${nameText(typeName.flatMap(partsOf))}`, mode: "SHARE" },
			])
		: effect("catalog only", []);
}

/** Statements that lock no table, index, view or sequence. */
const LOCKING_NOTHING = [
	"CreateFunctionStmt",
	"AlterFunctionStmt",
	"CreateEnumStmt",
	"AlterEnumStmt",
	"CreateDomainStmt",
	"CreateRangeStmt",
	"CompositeTypeStmt",
	"DefineStmt",
	"CreateSchemaStmt",
	"CreateRoleStmt",
	"AlterRoleStmt",
	"AlterRoleSetStmt",
	"GrantStmt",
	"GrantRoleStmt",
	"AlterDefaultPrivilegesStmt",
	"AlterOwnerStmt",
	"CreateCastStmt",
	"VariableSetStmt",
	"ConstraintsSetStmt",
	"NotifyStmt",
];

const WITH_ROWS: readonly (ObjectType | undefined)[] = [
	"OBJECT_TABLE",
	"OBJECT_MATVIEW",
	"OBJECT_FOREIGN_TABLE",
];
const OTHER_RELATIONS: readonly (ObjectType | undefined)[] = ["OBJECT_VIEW", "OBJECT_SEQUENCE"];
/** Named by their table's name and their own. */
const OF_A_TABLE: readonly (ObjectType | undefined)[] = ["OBJECT_TRIGGER", "OBJECT_RULE", "OBJECT_POLICY"];

/** What a DROP names. */
export function droppedNames({ objects = [] }: DropStmt): string[] {
	return objects.map((object) => nameText(partsOf(object)));
}

function dropped({ objects = [], removeType, concurrent, behavior }: DropStmt): StatementEffect {
	const names = objects.map(partsOf);
	const cascade = behavior === "DROP_CASCADE" ? ["ACCESS EXCLUSIVE on what depends on it as well"] : [];
	const exclusive = (relation: string) => ({ relation, mode: "ACCESS EXCLUSIVE" }) as const;
	if (removeType === "OBJECT_INDEX") {
		const mode = concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
		return effect(
			"catalog only",
			names.map((parts) => ({ relation: `the table of ${nameText(parts)}`, mode })),
		);
	}
	if (WITH_ROWS.includes(removeType)) {
		return effect("catalog only", names.map(nameText).map(exclusive), {
			notes: ["ACCESS EXCLUSIVE on tables that it refers to as well", ...cascade],
		});
	}
	if (OTHER_RELATIONS.includes(removeType)) {
		return effect("catalog only", names.map(nameText).map(exclusive), { notes: cascade });
	}
	if (OF_A_TABLE.includes(removeType)) {
		return effect(
			"catalog only",
			names.map((parts) => exclusive(nameText(parts.slice(0, -1)))),
		);
	}
	if (removeType === "OBJECT_STATISTIC_EXT") {
		return effect(
			"catalog only",
			names.map((parts) => ({ relation: `the table of ${nameText(parts)}`, mode: "SHARE UPDATE EXCLUSIVE" })),
		);
	}
	if (removeType === "OBJECT_EXTENSION") {
		return effect("unknown", [], { notes: ["what belongs to the extension cannot be read from here"] });
	}
	const using = removeType === "OBJECT_SCHEMA" ? "every table of" : "every relation that uses";
	return effect(
		"catalog only",
		cascade.length > 0 ? names.map((parts) => exclusive(`${using} ${nameText(parts)}`)) : [],
		{ notes: cascade },
	);
}

function renamed({ renameType, relation, behavior }: RenameStmt): StatementEffect {
	if (relation === undefined) return effect("catalog only", []);
	if (renameType === "OBJECT_ATTRIBUTE") {
		const tables = behavior === "DROP_CASCADE" ? [typedTables(relationText(relation))] : [];
		return effect("catalog only", tables);
	}
	const mode = renameType === "OBJECT_INDEX" ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
	return effect("catalog only", [{ relation: relationText(relation), mode }]);
}

function commented(kind: ObjectType | undefined, parts: string[]): StatementEffect {
	const isRelation = [...WITH_ROWS, ...OTHER_RELATIONS, "OBJECT_INDEX"].includes(kind);
	const isPart = kind === "OBJECT_TABCONSTRAINT" || OF_A_TABLE.includes(kind);
	const relation = isRelation ? parts : isPart || kind === "OBJECT_COLUMN" ? parts.slice(0, -1) : [];
	const mode = isPart ? "ACCESS SHARE" : "SHARE UPDATE EXCLUSIVE";
	return effect("catalog only", relation.length === 0 ? [] : [{ relation: nameText(relation), mode }]);
}

/** A name in parts, the schema first where there is one. */
function partsOf(object: Node | undefined): string[] {
	if (object === undefined) return [];
	if ("String" in object) return [object.String.sval ?? ""];
	if ("ObjectWithArgs" in object) return (object.ObjectWithArgs.objname ?? []).flatMap(partsOf);
	if ("TypeName" in object) return (object.TypeName.names ?? []).flatMap(partsOf);
	return "List" in object ? (object.List.items ?? []).flatMap(partsOf) : [];
}
