import type { AlterEnumStmt, DropStmt, Node, RangeVar, RenameStmt } from "libpg-query";
import { isNamed, typeOfNode, typeOfText } from "./column-types";
import { error, type Finding, note, warning } from "./finding";
import { type LiveSchema, type LiveTable, relationOf, schemaOf, textOf } from "./live-schema";
import { concernsLiveColumns, keyGone, restricts, SPLIT } from "./table-hazards";

/** What a statement other than ALTER TABLE … does to the tables of the live side, or to the types of their columns. */
export function schemaHazards(node: Node, live: LiveSchema): Finding[] {
	if ("DropStmt" in node) return dropped(node.DropStmt, live);
	if ("RenameStmt" in node) return renamed(node.RenameStmt, live);
	if ("AlterObjectSchemaStmt" in node && node.AlterObjectSchemaStmt.objectType === "OBJECT_TABLE") {
		const { relation, newschema = "" } = node.AlterObjectSchemaStmt;
		return moved(live.find(relation), `to schema ${newschema}`, live);
	}
	if ("IndexStmt" in node && node.IndexStmt.unique) {
		const table = live.find(node.IndexStmt.relation);
		return table && concernsLiveColumns(node.IndexStmt, table)
			? [restricts(`makes a unique index on ${table.shown}`)]
			: [];
	}
	if ("CreateTrigStmt" in node) {
		const table = live.find(node.CreateTrigStmt.relation);
		return table
			? [
					note(
						`makes trigger ${node.CreateTrigStmt.trigname} on ${table.shown}, which does not fire for rows that arrive from the live release`,
					),
				]
			: [];
	}
	if ("AlterTableStmt" in node) return attachedOrRetyped(node.AlterTableStmt, live);
	if ("AlterEnumStmt" in node) return enumChanged(node.AlterEnumStmt, live);
	if ("AlterDomainStmt" in node) {
		const { typeName, subtype = "" } = node.AlterDomainStmt;
		return ["O", "C"].includes(subtype)
			? ofType(typeName, live).map((column) => restricts(`restricts the domain of ${column}`))
			: [];
	}
	if ("DropOwnedStmt" in node) {
		return [
			error("DROP OWNED may drop tables that the live release writes", "drop what is meant by its name"),
		];
	}
	return [];
}

function dropped(statement: DropStmt, live: LiveSchema): Finding[] {
	const { objects = [], removeType, behavior } = statement;
	const cascade = behavior === "DROP_CASCADE";
	return objects.flatMap((object): Finding[] => {
		const parts = "List" in object ? object.List.items : [object];
		const relation = relationOf(parts);
		switch (removeType) {
			case "OBJECT_TABLE":
				return tableDropped(relation, live);
			case "OBJECT_SCHEMA":
				return live.ofSchema(textOf(object)).map((table) => {
					live.forget(table);
					return error(`drops ${table.shown} with its schema, which the live release writes`, SPLIT);
				});
			case "OBJECT_INDEX": {
				const table = live.ofKeyIndex(schemaOf(relation), relation.relname ?? "");
				return table ? [keyGone(`index ${relation.relname}`, table)] : [];
			}
			case "OBJECT_TYPE":
			case "OBJECT_DOMAIN": {
				const names = "TypeName" in object ? object.TypeName.names : parts;
				return cascade
					? ofType(names, live).map((column) => error(`drops ${column} with its type`, SPLIT))
					: [];
			}
			case "OBJECT_EXTENSION":
				return cascade
					? [
							warning(
								`drops with extension ${textOf(object)} what depends on it, maybe columns that the live release writes`,
								"drop what depends on it by name",
							),
						]
					: [];
			default:
				return [];
		}
	});
}

function tableDropped(relation: RangeVar, live: LiveSchema): Finding[] {
	const table = live.find(relation);
	if (table === undefined) {
		return [];
	}
	if (live.isPartition(relation)) {
		const what = `drops partition ${relation.relname} of ${table.shown}: rows of it that arrive have no place`;
		return [error(what, SPLIT)];
	}
	live.forget(table);
	return [error(`drops ${table.shown}, which the live release writes`, SPLIT)];
}

function moved(table: LiveTable | undefined, where: string, live: LiveSchema): Finding[] {
	if (table === undefined) {
		return [];
	}
	live.forget(table);
	return [error(`moves ${table.shown} ${where}, which the live release writes under its name`, SPLIT)];
}

function renamed(statement: RenameStmt, live: LiveSchema): Finding[] {
	const { renameType, relation, subname = "", newname = "" } = statement;
	const table = live.find(relation);
	switch (renameType) {
		case "OBJECT_TABLE":
			return moved(table, `to the name ${newname}`, live);
		case "OBJECT_SCHEMA":
			return live.ofSchema(subname).flatMap((inside) => moved(inside, `to schema ${newname}`, live));
		case "OBJECT_COLUMN":
			return table ? columnRenamed(table, subname, newname) : [];
		case "OBJECT_TABCONSTRAINT":
			if (table?.keyIndex === subname) table.keyIndex = newname;
			return [];
		case "OBJECT_INDEX": {
			const owner = relation && live.ofKeyIndex(schemaOf(relation), relation.relname ?? "");
			if (owner) owner.keyIndex = newname;
			return [];
		}
		default:
			return [];
	}
}

function columnRenamed(table: LiveTable, name: string, newName: string): Finding[] {
	const added = table.added.get(name);
	if (added) {
		table.added.delete(name);
		table.added.set(newName, added);
	}
	const column = table.columns.get(name);
	table.columns.delete(name);
	return column && !column.generated
		? [
				error(
					`renames column ${name} of ${table.shown} to ${newName}, which the live release writes under its name`,
					SPLIT,
				),
			]
		: [];
}

function attachedOrRetyped(
	{ objtype, relation, cmds = [] }: Extract<Node, { AlterTableStmt: unknown }>["AlterTableStmt"],
	live: LiveSchema,
): Finding[] {
	if (objtype === "OBJECT_TYPE") {
		const names = [relation?.schemaname, relation?.relname].flatMap((sval) =>
			sval ? [{ String: { sval } }] : [],
		);
		return ofType(names, live).map((column) =>
			error(`changes the composite type of ${column}, which the live release writes in its old form`, SPLIT),
		);
	}
	return cmds.flatMap((command) => {
		const def = "AlterTableCmd" in command ? command.AlterTableCmd.def : undefined;
		const partition = def && "PartitionCmd" in def ? def.PartitionCmd.name : undefined;
		const attaches = "AlterTableCmd" in command && command.AlterTableCmd.subtype === "AT_AttachPartition";
		return attaches && partition && !live.isPartition(partition)
			? moved(live.find(partition), `into ${relation?.relname} as a partition`, live)
			: [];
	});
}

function enumChanged({ typeName, oldVal, newVal }: AlterEnumStmt, live: LiveSchema): Finding[] {
	return ofType(typeName, live).map((column) =>
		oldVal === undefined
			? warning(
					`adds the label ${newVal} to the type of ${column}: a row with it that the new release writes stops the way back`,
					"let the new release write it only once nobody will want to go back",
				)
			: error(`renames the label ${oldVal} of the type of ${column}, which the live release writes`, SPLIT),
	);
}

/** The columns of the live side that are of a type, for messages. */
function ofType(names: Node[] | undefined, live: LiveSchema): string[] {
	const type = typeOfNode({ names: names ?? [] });
	return live
		.all()
		.flatMap((table) =>
			[...table.columns.values()]
				.filter((column) => isNamed(typeOfText(column.type), type))
				.map(({ name }) => `column ${name} of ${table.shown}`),
		);
}
