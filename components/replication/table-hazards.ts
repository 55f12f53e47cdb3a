import type { AlterTableCmd, ColumnDef, Constraint, Node } from "libpg-query";
import { isWidening, sameType, shownType, typeOfNode, typeOfText } from "./column-types";
import { error, type Finding, warning } from "./finding";
import { type AddedColumn, type LiveTable, textOf } from "./live-schema";

/** What is told to whoever takes something away that changes of the live release still need. */
export const SPLIT =
	"expand, then contract: let this release only add what is new, and take the old away in a release of its own after " +
	"the live release no longer writes it (its migration then says so: -- unwritten: table.column)";
const NEW_COLUMN =
	"add a column of the new type beside it, fill it, and drop the old one in a release of its own after the live " +
	"release no longer writes it";

/** What a part of ALTER TABLE on a live table does to the changes that go on arriving. */
export function commandHazards(command: AlterTableCmd, table: LiveTable): Finding[] {
	const { subtype, name = "", def } = command;
	const column = table.columns.get(name);
	const shown = `column ${name} of ${table.shown}`;
	switch (subtype) {
		case "AT_DropColumn":
			table.columns.delete(name);
			table.added.delete(name);
			return column && !column.generated
				? [error(`drops ${shown}, which the live release writes`, SPLIT)]
				: [];
		case "AT_AlterColumnType":
			return def && "ColumnDef" in def ? typeHazards(name, def.ColumnDef, table) : [];
		case "AT_SetNotNull":
			return notNullHazards(name, table);
		case "AT_DropNotNull":
			return nullAllowed(name, table);
		case "AT_ColumnDefault":
			setFilled(table, name, def);
			return [];
		case "AT_AddColumn":
			return def && "ColumnDef" in def ? addColumnHazards(def.ColumnDef, table) : [];
		case "AT_AddConstraint":
			return def && "Constraint" in def ? constraintHazards(def.Constraint, table) : [];
		case "AT_DropConstraint":
			return name === table.keyIndex ? [keyGone(`constraint ${name}`, table)] : [];
		case "AT_DropExpression":
			return column?.generated
				? [
						error(
							`makes ${shown} an ordinary column, whose values the live release does not send`,
							"do so in a release of its own after the live release has a column of its own for it",
						),
					]
				: [];
		case "AT_ReplicaIdentity":
			return identityHazards(def, table);
		case "AT_DetachPartition":
		case "AT_DetachPartitionFinalize":
			return [error(`detaches a partition from ${table.shown}: rows of it that arrive have no place`, SPLIT)];
		case "AT_SetUnLogged":
			return [
				error(`makes ${table.shown} unlogged: nothing leads back from an unlogged table`, "keep it logged"),
			];
		case "AT_ForceRowSecurity":
			return [
				error(
					`forces row security on ${table.shown}: what arrives is written as its owner, who is then refused`,
					"leave the owner out of row security",
				),
			];
		case "AT_EnableAlwaysTrig":
		case "AT_EnableReplicaTrig":
			return [
				warning(
					`lets trigger ${name} of ${table.shown} fire for changes that arrive from the live release as well`,
					"make sure that it may act a second time on what the live release did already",
				),
			];
		default:
			return [];
	}
}

/** Columns that planned statements have added and that rows from the live release come without, to be called at a statement's end. */
export function unfilledColumns(table: LiveTable): Finding[] {
	return [...table.added].flatMap(([name, column]) => {
		if (!column.required || column.filled) {
			return [];
		}
		column.required = false;
		return [
			error(
				`requires a value of the new column ${name} of ${table.shown}, which rows of the live release come without`,
				"give it a default, and keep that until the live release writes it",
			),
		];
	});
}

function typeHazards(name: string, { typeName, raw_default }: ColumnDef, table: LiveTable): Finding[] {
	const column = table.columns.get(name);
	if (!column || column.generated || !typeName) {
		return [];
	}
	const from = typeOfText(column.type);
	const to = typeOfNode(typeName);
	const change = `the type of column ${name} of ${table.shown} from ${column.type} to ${shownType(to)}`;
	if (raw_default) {
		return [
			error(
				`changes ${change} by an expression (USING), which rows that arrive from the live release do not pass through`,
				NEW_COLUMN,
			),
		];
	}
	if (sameType(from, to)) {
		return [];
	}
	if (!isWidening(from, to)) {
		return [error(`changes ${change}, which may refuse or alter what the live release writes`, NEW_COLUMN)];
	}
	if (to.name === "float8" && table.identity === "full") {
		return [
			error(
				`changes ${change}, so that rows of this table without a key are not found any more by what they hold`,
				"give the table a primary key in a release before",
			),
		];
	}
	table.columns.set(name, { ...column, type: shownType(to) });
	return [
		warning(
			`widens ${change}: a value that only fits the new type stops the way back`,
			"let the new release write such values only once nobody will want to go back",
		),
	];
}

function notNullHazards(name: string, table: LiveTable): Finding[] {
	const added = table.added.get(name);
	if (added) {
		added.required = true;
	}
	const column = table.columns.get(name);
	return column?.nullable && !column.generated
		? [
				error(
					`refuses NULL in column ${name} of ${table.shown}, which the live release may write`,
					`let a release before write a value always and add CHECK (${name} IS NOT NULL)`,
				),
			]
		: [];
}

function nullAllowed(name: string, table: LiveTable): Finding[] {
	const added = table.added.get(name);
	if (added) {
		added.required = false;
	}
	const column = table.columns.get(name);
	return column && !column.nullable && !column.generated
		? [
				warning(
					`allows NULL in column ${name} of ${table.shown}: a NULL that the new release writes stops the way back`,
					"let the new release write NULL only once nobody will want to go back",
				),
			]
		: [];
}

function setFilled(table: LiveTable, name: string, value: Node | undefined): void {
	const added = table.added.get(name);
	if (added) {
		added.filled = hasValue(value);
	}
}

function hasValue(value: Node | undefined): boolean {
	return value !== undefined && !("A_Const" in value && value.A_Const.isnull);
}

const SERIAL = /^(small|big)?serial[248]?$/;

function addColumnHazards(definition: ColumnDef, table: LiveTable): Finding[] {
	const { colname: name = "", typeName, constraints = [] } = definition;
	if (table.columns.has(name)) {
		return [];
	}
	const added: AddedColumn = { required: false, filled: false };
	const hazards: Finding[] = [];
	if (table.identity === "full") {
		hazards.push(
			error(
				`adds column ${name} to ${table.shown}, whose rows have no key: the way back cannot tell them apart`,
				"give the table a primary key in a release before, or REPLICA IDENTITY DEFAULT where it has one",
			),
		);
	}
	if (typeName && SERIAL.test(typeOfNode(typeName).name)) {
		added.filled = true;
	}
	table.added.set(name, added);
	for (const node of constraints) {
		if (!("Constraint" in node)) continue;
		const { contype, raw_expr } = node.Constraint;
		if (contype === "CONSTR_NOTNULL" || contype === "CONSTR_PRIMARY") added.required = true;
		if (contype === "CONSTR_IDENTITY" || contype === "CONSTR_GENERATED") added.filled = true;
		if (contype === "CONSTR_DEFAULT") added.filled = hasValue(raw_expr);
		if (contype === "CONSTR_CHECK") hazards.push(...constraintHazards(node.Constraint, table));
	}
	return hazards;
}

const MAY_STOP: Partial<Record<NonNullable<Constraint["contype"]>, string>> = {
	CONSTR_CHECK: "a CHECK constraint",
	CONSTR_UNIQUE: "a UNIQUE constraint",
	CONSTR_PRIMARY: "a primary key",
	CONSTR_EXCLUSION: "an EXCLUDE constraint",
};

function constraintHazards(constraint: Constraint, table: LiveTable): Finding[] {
	const { contype, keys = [], is_enforced, indexname } = constraint;
	if (contype === "CONSTR_NOTNULL") {
		return keys.flatMap((key) => notNullHazards(textOf(key), table));
	}
	// An index that becomes a constraint was looked at when it was made.
	if (!concernsLiveColumns(constraint, table) || indexname !== undefined) {
		return [];
	}
	if (contype === "CONSTR_FOREIGN" && is_enforced) {
		return [
			warning(
				`adds a foreign key to ${table.shown}, which rows that arrive from the live release are not checked against`,
				"make sure that the live release keeps to it already",
			),
		];
	}
	const kind = contype && MAY_STOP[contype];
	if (kind === undefined || (contype === "CONSTR_CHECK" && !is_enforced)) {
		return [];
	}
	const nulls = contype === "CONSTR_PRIMARY" ? keys.flatMap((key) => notNullHazards(textOf(key), table)) : [];
	return [...nulls, restricts(`adds ${kind} to ${table.shown}`)];
}

/** Rows that the live release may write are refused from now on. */
export function restricts(what: string): Finding {
	return warning(
		`${what}: a row that the live release writes meanwhile and that violates it stops the replication`,
		"make sure that the live release keeps to it already",
	);
}

/** Whether a constraint or an index restricts more than columns that rows from the live release come without. */
export function concernsLiveColumns(restriction: object, table: LiveTable): boolean {
	const columns = columnsIn(restriction);
	return columns.length === 0 || columns.some((name) => !table.added.has(name));
}

function columnsIn(value: unknown): string[] {
	if (Array.isArray(value)) return value.flatMap(columnsIn);
	if (typeof value !== "object" || value === null) return [];
	return Object.entries(value).flatMap(([key, inner]) => {
		if (key === "keys" || key === "fk_attrs") return (inner as Node[]).map(textOf);
		if (key === "ColumnRef") return (inner.fields as Node[]).slice(-1).map(textOf);
		if (key === "IndexElem" && inner.name) return [inner.name as string];
		return columnsIn(inner);
	});
}

function identityHazards(def: Node | undefined, table: LiveTable): Finding[] {
	const { identity_type, name } =
		def && "ReplicaIdentityStmt" in def ? def.ReplicaIdentityStmt : { identity_type: "d", name: undefined };
	const asBefore =
		identity_type === "d" ||
		(identity_type === "f" && table.identity === "full") ||
		(identity_type === "i" && name === table.keyIndex);
	return asBefore ? [] : [keyGone("replica identity", table)];
}

/** The rows of a table can no longer be told apart as the live side does. */
export function keyGone(what: string, table: LiveTable): Finding {
	return error(
		`takes away or replaces ${what} of ${table.shown}, by which changed rows are found`,
		"keep it, and add the new key beside it",
	);
}
