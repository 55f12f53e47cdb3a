import type { AlterTableCmd, AlterTableStmt, AlterTableType, DropStmt, Node, ObjectType } from "libpg-query";
import { droppedNames } from "../migrations/locks/named-object-locks";
import { OwnNames, type SectionStatement, sectionEffects } from "../migrations/locks/section-effects";
import { nameText, relationText } from "../migrations/locks/statement-effect";
import type { Section } from "../migrations/migration";

/** What a statement does to a release that serves on the same database meanwhile. */
export interface InPlaceChange {
	/** With its place. */
	what: string;
	/** Whether statements of that release fail from then on, as far as it uses the thing. */
	breaks: boolean;
}

/** Sections in the order in which they run, each with how it is named to people. */
export interface PlacedSection {
	section: Section;
	title: string;
	/** Tables and columns that the release which serves no longer writes, such as `cameras.zone`. */
	unwritten?: readonly string[];
}

/**
 * What sections take away, rename, narrow or act on of what was there before the first of them, by their statements
 * alone: what a function, a trigger or a policy does is not looked into.
 *
 * @throws Error when PostgreSQL's parser refuses a section
 */
export async function inPlaceChanges(sections: readonly PlacedSection[]): Promise<InPlaceChange[]> {
	const names = new OwnNames();
	const changes: InPlaceChange[] = [];
	for (const { section, title, unwritten = [] } of sections) {
		for (const statement of await sectionEffects(section, names)) {
			for (const { what, breaks, dropped: gone = [] } of changesOf(statement)) {
				const isUnused = gone.length > 0 && gone.every((name) => unwritten.includes(name));
				changes.push({
					what: `${title}:${statement.line}: ${what}${isUnused ? ", which is no longer written by its migration's word" : ""}`,
					breaks: breaks && !isUnused,
				});
			}
		}
	}
	return changes;
}

interface Change extends InPlaceChange {
	/** Tables and columns that are no more. */
	dropped?: readonly string[];
}

const breaking = (what: string, dropped: readonly string[] = []): Change => ({ what, breaks: true, dropped });
const other = (what: string): Change => ({ what, breaks: false });

function changesOf({ node, effect }: SectionStatement): Change[] {
	const touched = effect.locks.map(({ relation }) => relation);
	const touches = touched.length > 0;
	if (effect.work === "unknown") {
		return [other("does what cannot be read from it")];
	}
	if ("DropStmt" in node) return dropped(node.DropStmt, touches);
	if ("GrantStmt" in node && !node.GrantStmt.is_grant) return [other("takes rights away")];
	if ("CreateFunctionStmt" in node && node.CreateFunctionStmt.replace) {
		return [other("replaces a function where there is one by that name")];
	}
	if ("RenameStmt" in node && node.RenameStmt.renameType === "OBJECT_SCHEMA") {
		return [breaking(`renames schema ${node.RenameStmt.subname}`)];
	}
	if ("AlterEnumStmt" in node && node.AlterEnumStmt.oldVal !== undefined) {
		return [other(`renames the label ${node.AlterEnumStmt.oldVal} of a type`)];
	}
	if ("AlterDomainStmt" in node && ["C", "O"].includes(node.AlterDomainStmt.subtype ?? "")) {
		return [other("narrows a domain: values that are against it are refused")];
	}
	if (!touches) {
		return [];
	}
	const shown = touched.join(", ");
	if ("AlterTableStmt" in node) return altered(node.AlterTableStmt);
	if ("RenameStmt" in node) return renamed(node.RenameStmt);
	if ("AlterObjectSchemaStmt" in node) return [breaking(`moves ${shown} to another schema`)];
	if ("TruncateStmt" in node) return [other(`takes all rows of ${shown} away`)];
	if ("CreateTrigStmt" in node) return [other(`makes a trigger that acts on what it writes into ${shown}`)];
	if ("RuleStmt" in node) return [other(`makes a rule that acts on its statements on ${shown}`)];
	if ("CreatePolicyStmt" in node || "AlterPolicyStmt" in node) {
		return [other(`changes which rows of ${shown} it sees and may write`)];
	}
	if ("IndexStmt" in node) {
		return node.IndexStmt.unique ? [other(`refuses a second row of ${shown} with the same key`)] : [];
	}
	if ("CreateStmt" in node) {
		const referred = effect.locks.filter(({ mode }) => mode === "SHARE ROW EXCLUSIVE");
		return referred.map(({ relation }) =>
			other(`refuses to delete rows of ${relation} that are referred to`),
		);
	}
	const changed = effect.locks.filter(({ mode }) => mode === "ROW EXCLUSIVE");
	return changed.map(({ relation }) => other(`changes rows of ${relation}`));
}

const USED_BY_NAME: readonly (ObjectType | undefined)[] = [
	"OBJECT_TABLE",
	"OBJECT_VIEW",
	"OBJECT_MATVIEW",
	"OBJECT_FOREIGN_TABLE",
	"OBJECT_SEQUENCE",
];

function dropped(statement: DropStmt, touches: boolean): Change[] {
	const { removeType, behavior } = statement;
	const kind = removeType?.replace("OBJECT_", "").replace("MATVIEW", "materialized view").toLowerCase();
	const what = `drops ${kind} ${droppedNames(statement).join(", ")}`;
	if (USED_BY_NAME.includes(removeType)) {
		return touches ? [breaking(what, droppedNames(statement))] : [];
	}
	const takesTables = removeType === "OBJECT_SCHEMA" && behavior === "DROP_CASCADE";
	return [takesTables ? breaking(what) : other(what)];
}

function renamed({ renameType, relation, subname, newname }: RenamedNode): Change[] {
	const table = relationText(relation);
	if (renameType === "OBJECT_COLUMN") {
		return [breaking(`renames column ${subname} of ${table} to ${newname}`)];
	}
	return USED_BY_NAME.includes(renameType) ? [breaking(`renames ${table} to ${newname}`)] : [];
}

type RenamedNode = Extract<Node, { RenameStmt: unknown }>["RenameStmt"];

function altered({ relation, cmds = [] }: AlterTableStmt): Change[] {
	const table = relationText(relation);
	return cmds.flatMap((command) =>
		"AlterTableCmd" in command ? commandChanges(command.AlterTableCmd, table) : [],
	);
}

/** Forms that need no more than their column's and their table's name. */
const FORMS: Partial<Record<AlterTableType, (column: string, table: string) => Change>> = {
	AT_DropColumn: (column, table) => breaking(`drops column ${column} of ${table}`, [`${table}.${column}`]),
	AT_AlterColumnType: (column, table) => other(`changes the type of column ${column} of ${table}`),
	AT_SetNotNull: (column, table) => other(`refuses rows of ${table} without a value in column ${column}`),
	AT_DropExpression: (column, table) => other(`computes column ${column} of ${table} no more`),
	AT_SetExpression: (column, table) => other(`computes column ${column} of ${table} in another way`),
	AT_AddIdentity: (column, table) => other(`numbers column ${column} of ${table} itself`),
	AT_DropIdentity: (column, table) => other(`numbers column ${column} of ${table} no more`),
	AT_SetIdentity: (column, table) => other(`changes how column ${column} of ${table} is numbered`),
	AT_DropConstraint: (name, table) =>
		other(`drops constraint ${name} of ${table}, which ON CONFLICT may need`),
	AT_EnableRowSecurity: (_, table) => other(`changes which rows of ${table} it sees and may write`),
	AT_ForceRowSecurity: (_, table) => other(`changes which rows of ${table} it sees and may write`),
	AT_DetachPartition: (_, table) => breaking(`takes a partition out of ${table}: its rows have no place`),
	AT_DetachPartitionFinalize: (_, table) =>
		breaking(`takes a partition out of ${table}: its rows have no place`),
	AT_SetUnLogged: (_, table) => other(`has ${table} lose its rows in a crash`),
	AT_ChangeOwner: (_, table) => other(`gives ${table} to another owner`),
};

function commandChanges({ subtype, name = "", def }: AlterTableCmd, table: string): Change[] {
	const column = nameText([name]);
	if (subtype === "AT_ColumnDefault") {
		return def === undefined
			? [
					other(
						`refuses rows of ${table} that leave column ${column} to its default, where it may not be NULL`,
					),
				]
			: [];
	}
	if (subtype === "AT_AddConstraint") {
		return [other(`refuses rows of ${table} that a new constraint is against`)];
	}
	if (subtype === "AT_AddColumn" && def && "ColumnDef" in def) {
		const kinds = (def.ColumnDef.constraints ?? []).flatMap((each) =>
			"Constraint" in each ? [each.Constraint.contype] : [],
		);
		const isRequired = kinds.includes("CONSTR_NOTNULL") || kinds.includes("CONSTR_PRIMARY");
		const isFilled = ["CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"] as const;
		return isRequired && !isFilled.some((kind) => kinds.includes(kind))
			? [
					breaking(
						`requires a value of the new column ${nameText([def.ColumnDef.colname ?? ""])} of ${table}`,
					),
				]
			: [];
	}
	if (subtype !== undefined && /Trig|Rule/.test(subtype)) {
		return [other(`changes which triggers and rules act on what it writes into ${table}`)];
	}
	const form = subtype && FORMS[subtype];
	return form ? [form(column, table)] : [];
}
