import type { Node, RangeVar } from "libpg-query";
import { qualifiedName, type ReplicatedColumn, type ReplicatedTable, shownName } from "./tables";

/** A column that a planned statement added to a live table. */
export interface AddedColumn {
	required: boolean;
	/** Whether rows that arrive without it get a value. */
	filled: boolean;
}

/** A table that exists on the live side, as planned statements have left it on the idle side so far. */
export interface LiveTable {
	/** For messages. */
	shown: string;
	schema: string;
	identity: ReplicatedTable["identity"];
	keyIndex?: string;
	/** Columns of the live side that are still there under their names. */
	columns: Map<string, ReplicatedColumn>;
	added: Map<string, AddedColumn>;
}

/** Follows what planned statements do to the tables of the live side; what they make themselves is none of them. */
export class LiveSchema {
	private readonly tables = new Map<string, LiveTable>();
	private readonly partitions = new Set<string>();

	constructor(tables: readonly ReplicatedTable[]) {
		for (const table of tables) {
			const live: LiveTable = {
				shown: shownName(table),
				schema: table.schema,
				identity: table.identity,
				...(table.keyIndex !== undefined && { keyIndex: table.keyIndex }),
				columns: new Map(table.columns.map((column) => [column.name, column])),
				added: new Map(),
			};
			this.tables.set(table.sql, live);
			for (const { sql } of table.partitioned ? table.leaves : []) {
				this.tables.set(sql, live);
				this.partitions.add(sql);
			}
		}
	}

	/** The live table that a name stands for, also when it is the name of one of its partitions. */
	find(relation: RangeVar | undefined): LiveTable | undefined {
		return relation?.relname === undefined ? undefined : this.tables.get(relationKey(relation));
	}

	isPartition(relation: RangeVar): boolean {
		return this.partitions.has(relationKey(relation));
	}

	ofSchema(schema: string): LiveTable[] {
		return this.all().filter((table) => table.schema === schema);
	}

	/** From now on the table's names stand for nothing of the live side. */
	forget(gone: LiveTable): void {
		for (const [key, table] of this.tables) {
			if (table === gone) {
				this.tables.delete(key);
			}
		}
	}

	ofKeyIndex(schema: string, index: string): LiveTable | undefined {
		return this.all().find((table) => table.schema === schema && table.keyIndex === index);
	}

	all(): LiveTable[] {
		return [...new Set(this.tables.values())];
	}
}

/** The schema of names without one, where migrations run. */
const DEFAULT_SCHEMA = "public";

/** The name of a relation, quoted, with the schema in which it is looked for. */
export function relationKey({ schemaname, relname }: RangeVar): string {
	return qualifiedName(schemaname ?? DEFAULT_SCHEMA, relname ?? "");
}

/** A name in a DROP statement or of a type, as a relation's. */
export function relationOf(parts: readonly Node[] | undefined): RangeVar {
	const [name, schema] = (parts ?? []).map(textOf).reverse();
	return { relname: name ?? "", ...(schema !== undefined && { schemaname: schema }) };
}

/** The text of a name's part. */
export function textOf(node: Node): string {
	return "String" in node ? (node.String.sval ?? "") : "";
}

/** The schema of a relation as it is resolved. */
export function schemaOf({ schemaname }: RangeVar): string {
	return schemaname ?? DEFAULT_SCHEMA;
}
