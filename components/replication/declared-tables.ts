import type { AlterTableCmd, ColumnDef, Constraint, CreateStmt, Node, RangeVar } from "libpg-query";
import type { Migration } from "../migrations/migration";
import { statementsOf } from "../migrations/statements";
import { shownType, typeOfNode } from "./column-types";
import { relationKey, relationOf, schemaOf, textOf } from "./live-schema";
import { qualifiedName, type ReplicatedColumn, type ReplicatedTable } from "./tables";

/**
 * The tables as migration files make them, for when there is no database to ask: what CREATE TABLE, ALTER TABLE, DROP and
 * RENAME say. What functions and DO blocks do is not known, nor are sizes.
 *
 * @param migrations in the order of their application
 * @throws Error when PostgreSQL's parser refuses one
 */
export async function declaredTables(migrations: readonly Migration[]): Promise<ReplicatedTable[]> {
	const tables = new Map<string, ReplicatedTable>();
	for (const { up } of migrations) {
		for (const { node } of await statementsOf(up)) declare(node, tables);
	}
	return [...tables.values()].map((table) => ({
		...table,
		identity: table.keyIndex === undefined ? "full" : "key",
	}));
}

type Tables = Map<string, ReplicatedTable>;

function declare(node: Node, tables: Tables): void {
	if ("CreateStmt" in node) {
		created(node.CreateStmt, tables);
	} else if ("AlterTableStmt" in node) {
		const table = find(node.AlterTableStmt.relation, tables);
		for (const command of node.AlterTableStmt.cmds ?? []) {
			if (table && "AlterTableCmd" in command) altered(command.AlterTableCmd, table);
		}
	} else if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_TABLE") {
		for (const object of node.DropStmt.objects ?? []) {
			tables.delete(relationKey(relationOf("List" in object ? object.List.items : [object])));
		}
	} else if ("RenameStmt" in node) {
		const { renameType, relation, subname, newname = "" } = node.RenameStmt;
		const table = find(relation, tables);
		if (table && relation && renameType === "OBJECT_TABLE") {
			tables.delete(relationKey(relation));
			put({ ...table, name: newname, sql: qualifiedName(table.schema, newname) }, tables);
		} else if (table && renameType === "OBJECT_COLUMN") {
			for (const column of table.columns) if (column.name === subname) column.name = newname;
		}
	}
}

function created(
	{ relation, tableElts = [], partspec, partbound, if_not_exists }: CreateStmt,
	tables: Tables,
): void {
	if (relation === undefined || relation.relpersistence !== "p") return;
	// A partition's rows belong to the table that it is part of.
	if (partbound !== undefined || (if_not_exists && find(relation, tables))) return;
	const table: ReplicatedTable = {
		schema: schemaOf(relation),
		name: relation.relname ?? "",
		sql: relationKey(relation),
		columns: [],
		identity: "full",
		partitioned: partspec !== undefined,
		leaves: [],
	};
	for (const element of tableElts) {
		if ("ColumnDef" in element) addColumn(element.ColumnDef, table);
	}
	for (const element of tableElts) {
		if ("Constraint" in element) constrained(element.Constraint, table);
	}
	put(table, tables);
}

function altered({ subtype, name, def }: AlterTableCmd, table: ReplicatedTable): void {
	const column = table.columns.find((each) => each.name === name);
	switch (subtype) {
		case "AT_AddColumn":
			if (def && "ColumnDef" in def) addColumn(def.ColumnDef, table);
			break;
		case "AT_DropColumn":
			table.columns = table.columns.filter((each) => each !== column);
			break;
		case "AT_SetNotNull":
		case "AT_DropNotNull":
			if (column) column.nullable = subtype === "AT_DropNotNull";
			break;
		case "AT_AlterColumnType":
			if (column && def && "ColumnDef" in def && def.ColumnDef.typeName) {
				column.type = shownType(typeOfNode(def.ColumnDef.typeName));
			}
			break;
		case "AT_AddConstraint":
			if (def && "Constraint" in def) constrained(def.Constraint, table);
			break;
		case "AT_DropConstraint":
			if (table.keyIndex === name) delete table.keyIndex;
			break;
		default:
	}
}

function addColumn({ colname = "", typeName, constraints = [] }: ColumnDef, table: ReplicatedTable): void {
	if (typeName === undefined || table.columns.some(({ name }) => name === colname)) return;
	const of = constraints.flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
	const has = (...kinds: Constraint["contype"][]) => of.some(({ contype }) => kinds.includes(contype));
	const type = shownType(typeOfNode(typeName));
	const column: ReplicatedColumn = {
		name: colname,
		type,
		builtIn: false,
		generated: has("CONSTR_GENERATED"),
		nullable: !has("CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY") && !/serial/.test(type),
	};
	table.columns = [...table.columns, column];
	for (const constraint of of) {
		if (constraint.contype === "CONSTR_PRIMARY") keyed(constraint, table);
	}
}

function constrained(constraint: Constraint, table: ReplicatedTable): void {
	if (constraint.contype !== "CONSTR_PRIMARY") return;
	const keys = (constraint.keys ?? []).map(textOf);
	for (const column of table.columns) if (keys.includes(column.name)) column.nullable = false;
	keyed(constraint, table);
}

function keyed({ conname, indexname }: Constraint, table: ReplicatedTable): void {
	table.keyIndex = conname ?? indexname ?? `${table.name}_pkey`;
}

function find(relation: RangeVar | undefined, tables: Tables): ReplicatedTable | undefined {
	return relation === undefined ? undefined : tables.get(relationKey(relation));
}

function put(table: ReplicatedTable, tables: Tables): void {
	tables.set(table.sql, table);
}
