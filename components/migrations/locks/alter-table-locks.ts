import type { AlterTableCmd, AlterTableStmt, AlterTableType, Node } from "libpg-query";
import { addColumnEffect, constraintEffect, NULLS_KNOWN } from "./column-locks";
import type { LockMode } from "./lock-modes";
import {
	effect,
	type RelationLock,
	relationText,
	type StatementEffect,
	together,
	typedTables,
	type Work,
} from "./statement-effect";

/**
 * What ALTER TABLE locks and does: the strongest lock of its parts, for the time of the longest of them.
 *
 * @see https://www.postgresql.org/docs/18/sql-altertable.html
 */
export function alterTableEffect({ relation, cmds = [], objtype }: AlterTableStmt): StatementEffect {
	const table = relationText(relation);
	const commands = cmds.flatMap((command) => ("AlterTableCmd" in command ? [command.AlterTableCmd] : []));
	if (objtype === "OBJECT_TYPE") return together(commands.map((command) => attributeEffect(command, table)));
	return together(commands.map((command) => commandEffect(command, table)));
}

/** A change of a composite type, which CASCADE takes into the tables that are made of it. */
function attributeEffect({ subtype, behavior }: AlterTableCmd, type: string): StatementEffect {
	return behavior === "DROP_CASCADE"
		? effect(subtype === "AT_AlterColumnType" ? "rewrites the table" : "catalog only", [typedTables(type)])
		: effect("catalog only", []);
}

type Simple = readonly [mode: LockMode, work: Work];

const CATALOG: Simple = ["ACCESS EXCLUSIVE", "catalog only"];
const GENTLE: Simple = ["SHARE UPDATE EXCLUSIVE", "catalog only"];
const TRIGGER: Simple = ["SHARE ROW EXCLUSIVE", "catalog only"];
const REWRITE: Simple = ["ACCESS EXCLUSIVE", "rewrites the table"];

/** The forms whose lock and work depend on nothing else. */
const SIMPLE: Partial<Record<AlterTableType, Simple>> = {
	AT_ColumnDefault: CATALOG,
	AT_DropNotNull: CATALOG,
	AT_DropColumn: CATALOG,
	AT_DropExpression: CATALOG,
	AT_SetStorage: CATALOG,
	AT_SetCompression: CATALOG,
	AT_AlterConstraint: CATALOG,
	AT_ChangeOwner: CATALOG,
	AT_EnableRule: CATALOG,
	AT_EnableAlwaysRule: CATALOG,
	AT_EnableReplicaRule: CATALOG,
	AT_DisableRule: CATALOG,
	AT_AddOf: CATALOG,
	AT_DropOf: CATALOG,
	AT_ReplicaIdentity: CATALOG,
	AT_EnableRowSecurity: CATALOG,
	AT_DisableRowSecurity: CATALOG,
	AT_ForceRowSecurity: CATALOG,
	AT_NoForceRowSecurity: CATALOG,
	AT_SetIdentity: CATALOG,
	AT_DropIdentity: CATALOG,
	AT_AddIdentity: CATALOG,
	AT_SetStatistics: GENTLE,
	AT_SetOptions: GENTLE,
	AT_ResetOptions: GENTLE,
	AT_ClusterOn: GENTLE,
	AT_DropCluster: GENTLE,
	AT_ValidateConstraint: ["SHARE UPDATE EXCLUSIVE", "scans the table"],
	AT_EnableTrig: TRIGGER,
	AT_EnableAlwaysTrig: TRIGGER,
	AT_EnableReplicaTrig: TRIGGER,
	AT_DisableTrig: TRIGGER,
	AT_EnableTrigAll: TRIGGER,
	AT_DisableTrigAll: TRIGGER,
	AT_EnableTrigUser: TRIGGER,
	AT_DisableTrigUser: TRIGGER,
	AT_SetLogged: REWRITE,
	AT_SetUnLogged: REWRITE,
	AT_SetAccessMethod: REWRITE,
	AT_SetTableSpace: REWRITE,
};

/** Forms that may do less than they seem to, or lock more. */
const NOTES: Partial<Record<AlterTableType, string>> = {
	AT_ValidateConstraint: "of a foreign key: ROW SHARE on the table that it refers to as well",
	AT_DropConstraint: "of a foreign key: ACCESS EXCLUSIVE on the table that it refers to as well",
	AT_DropColumn: "of a foreign key: ACCESS EXCLUSIVE on the table that it refers to as well",
};

function commandEffect(command: AlterTableCmd, table: string): StatementEffect {
	const { subtype, def } = command;
	const own = (mode: LockMode): RelationLock => ({ relation: table, mode });
	switch (subtype) {
		case "AT_AddColumn":
			return def && "ColumnDef" in def ? addColumnEffect(def.ColumnDef, table) : unknown(table);
		case "AT_AddConstraint":
			return def && "Constraint" in def ? constraintEffect(def.Constraint, table) : unknown(table);
		case "AT_SetNotNull":
			return effect("scans the table", [own("ACCESS EXCLUSIVE")], { notes: [NULLS_KNOWN] });
		case "AT_DropConstraint":
			return effect("catalog only", [own("ACCESS EXCLUSIVE")], { notes: [NOTES.AT_DropConstraint!] });
		case "AT_SetExpression":
			return effect("rewrites the table", [own("ACCESS EXCLUSIVE")], {
				notes: ["only the catalog changes if the column is virtual"],
			});
		case "AT_AlterColumnType":
			return effect("rewrites the table", [own("ACCESS EXCLUSIVE")], {
				notes: [
					"only the catalog changes if the old values are valid in the new type as they are, such as varchar in text or a longer varchar",
				],
			});
		case "AT_SetRelOptions":
		case "AT_ResetRelOptions":
			return effect("catalog only", [own(optionsMode(def))]);
		case "AT_AttachPartition":
			return effect("scans the table", [own("SHARE UPDATE EXCLUSIVE"), part(def, "ACCESS EXCLUSIVE")], {
				notes: [
					"scans the new partition, unless a CHECK constraint rules out other rows; ACCESS EXCLUSIVE on a default partition",
				],
			});
		case "AT_DetachPartition":
			return effect("catalog only", [
				own(isConcurrent(def) ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE"),
				part(def, "ACCESS EXCLUSIVE"),
			]);
		case "AT_DetachPartitionFinalize":
			return effect("catalog only", [own("SHARE UPDATE EXCLUSIVE"), part(def, "ACCESS EXCLUSIVE")]);
		case "AT_AddInherit":
		case "AT_DropInherit":
			return effect("catalog only", [
				own("ACCESS EXCLUSIVE"),
				parent(def, subtype === "AT_AddInherit" ? "SHARE UPDATE EXCLUSIVE" : "ACCESS SHARE"),
			]);
		default:
			return simple(subtype, table);
	}
}

function simple(subtype: AlterTableType | undefined, table: string): StatementEffect {
	const found = subtype && SIMPLE[subtype];
	if (!found) return unknown(table);
	const [mode, work] = found;
	const note = NOTES[subtype];
	return effect(work, [{ relation: table, mode }], { notes: note === undefined ? [] : [note] });
}

/** PostgreSQL takes ACCESS EXCLUSIVE unless its documentation says otherwise. */
function unknown(table: string): StatementEffect {
	return effect("unknown", [{ relation: table, mode: "ACCESS EXCLUSIVE" }]);
}

/** Storage and planner parameters that sessions at work need not agree on. */
const GENTLE_OPTION =
	/^(fillfactor|toast_tuple_target|parallel_workers|(log_)?autovacuum_\w+|vacuum_\w+|n_distinct\w*)$/;

function optionsMode(def: Node | undefined): LockMode {
	const options = def && "List" in def ? (def.List.items ?? []) : [];
	const isGentle = options.every(
		(option) => "DefElem" in option && GENTLE_OPTION.test(option.DefElem.defname ?? ""),
	);
	return isGentle ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
}

function isConcurrent(def: Node | undefined): boolean {
	return def !== undefined && "PartitionCmd" in def && def.PartitionCmd.concurrent === true;
}

function part(def: Node | undefined, mode: LockMode): RelationLock {
	const name = def && "PartitionCmd" in def ? def.PartitionCmd.name : undefined;
	return { relation: relationText(name), mode };
}

function parent(def: Node | undefined, mode: LockMode): RelationLock {
	const relation = def && "RangeVar" in def ? def.RangeVar : undefined;
	return { relation: relationText(relation), mode };
}
