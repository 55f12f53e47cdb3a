import { type Node, parseSync, type TypeName } from "libpg-query";

/** A column's type, whatever words it was written in. */
export interface ColumnType {
	schema?: string;
	/** PostgreSQL's own name, such as `int4`. */
	name: string;
	/** What stands in brackets: a length, or precision and scale. */
	modifiers: number[];
	array: boolean;
}

/** Reads the type of a column definition. */
export function typeOfNode({ names = [], typmods = [], arrayBounds }: TypeName): ColumnType {
	const [name, schema] = names.map((part) => ("String" in part ? (part.String.sval ?? "") : "")).reverse();
	return {
		...(schema !== undefined && schema !== "pg_catalog" && { schema }),
		name: name ?? "",
		modifiers: typmods.map(numberOf),
		array: arrayBounds !== undefined,
	};
}

function numberOf(node: Node): number {
	return "A_Const" in node ? (node.A_Const.ival?.ival ?? 0) : Number.NaN;
}

/** Reads a type as PostgreSQL writes it. PostgreSQL's parser must be loaded. */
export function typeOfText(text: string): ColumnType {
	const statement = parseSync(`SELECT NULL::${text}`).stmts?.[0]?.stmt;
	const target = statement && "SelectStmt" in statement ? statement.SelectStmt.targetList?.[0] : undefined;
	const value = target && "ResTarget" in target ? target.ResTarget.val : undefined;
	const type = value && "TypeCast" in value ? value.TypeCast.typeName : undefined;
	if (type === undefined) {
		throw new Error(`${text} cannot be read as the type of a column`);
	}
	return typeOfNode(type);
}

/** Whether both are the same type, of the same length or precision. */
export function sameType(left: ColumnType, right: ColumnType): boolean {
	return (
		isNamed(left, right) &&
		left.array === right.array &&
		left.modifiers.length === right.modifiers.length &&
		left.modifiers.every((modifier, index) => modifier === right.modifiers[index])
	);
}

/** Whether both have the same name, where one without a schema may be of any. */
export function isNamed(
	left: Pick<ColumnType, "schema" | "name">,
	right: Pick<ColumnType, "schema" | "name">,
): boolean {
	const anySchema = left.schema === undefined || right.schema === undefined;
	return left.name === right.name && (anySchema || left.schema === right.schema);
}

/**
 * Whether a column of one type can become another while values of the old one go on arriving as text: each of them is
 * then read as the value that the conversion of the stored one gives.
 */
export function isWidening(from: ColumnType, to: ColumnType): boolean {
	if (sameType(from, to)) {
		return true;
	}
	if (from.array || to.array || from.schema !== undefined || to.schema !== undefined) {
		return false;
	}
	const integers = ["int2", "int4", "int8"];
	if (integers.includes(from.name) && integers.includes(to.name)) {
		return integers.indexOf(from.name) < integers.indexOf(to.name);
	}
	if (from.name === "float4" && to.name === "float8") {
		return true;
	}
	if (from.name === "varchar" && to.name === "text") {
		return true;
	}
	return from.name === to.name && isRoomier(from, to);
}

const LIMITED_LENGTH = ["varchar", "varbit", "timestamp", "timestamptz", "time", "timetz"];

function isRoomier({ name, modifiers: from }: ColumnType, { modifiers: to }: ColumnType): boolean {
	if (name === "numeric") {
		const [precision = 0, scale = 0] = from;
		const [newPrecision = 0, newScale = 0] = to;
		return (
			to.length === 0 ||
			(from.length > 0 && newScale >= scale && newPrecision - newScale >= precision - scale)
		);
	}
	if (name === "bpchar") {
		return from.length > 0 && to.length > 0 && to[0]! > from[0]!;
	}
	if (!LIMITED_LENGTH.includes(name)) {
		return false;
	}
	return to.length === 0 || (from.length > 0 && to[0]! > from[0]!);
}

const SQL_NAMES: Record<string, string> = {
	int2: "smallint",
	int4: "integer",
	int8: "bigint",
	float4: "real",
	float8: "double precision",
	bool: "boolean",
	varchar: "character varying",
	bpchar: "character",
};

/** As PostgreSQL would write it. */
export function shownType({ schema, name, modifiers, array }: ColumnType): string {
	const limits = modifiers.length === 0 ? "" : `(${modifiers.join(",")})`;
	const prefix = schema === undefined ? "" : `${schema}.`;
	return `${prefix}${SQL_NAMES[name] ?? name}${limits}${array ? "[]" : ""}`;
}
