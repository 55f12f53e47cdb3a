import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientBase } from "pg";

const DESCRIPTION = join(__dirname, "schema-description.sql");
/** Everything that PostgreSQL takes into account when it writes definitions down. */
const CANONICAL = `
	SET LOCAL search_path = '';
	SET LOCAL TimeZone = 'UTC';
	SET LOCAL DateStyle = 'ISO, YMD';
	SET LOCAL IntervalStyle = 'postgres';
	SET LOCAL extra_float_digits = 1;
	SET LOCAL bytea_output = 'hex';
	SET LOCAL xmlbinary = 'base64';
	SET LOCAL quote_all_identifiers = off;`;

/**
 * Everything that the application has defined in a database, outside system schemas and `deployment`, as sorted lines
 * that are the same wherever the same statements have run. Who owns what, who may do what, the values of sequences and
 * replica identities are left out. A definition may be of several lines.
 *
 * @param client not in a transaction
 */
export async function describeSchema(client: ClientBase): Promise<string[]> {
	await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; ${CANONICAL}`);
	try {
		const { rows } = await client.query<{ line: string }>(readFileSync(DESCRIPTION, "utf8"));
		return rows.map(({ line }) => line).sort();
	} finally {
		await client.query("ROLLBACK");
	}
}

/** One short text that stands for a described schema. */
export function schemaDigest(lines: readonly string[]): string {
	return hash("sha256", JSON.stringify(lines), "hex");
}

/** Sentences that say what is on one side only or different, in the order of kinds and names. */
export function schemaDifferences(live: readonly string[], replayed: readonly string[]): string[] {
	const [liveItems, replayedItems] = [itemsOf(live), itemsOf(replayed)];
	const oneSided = new Set([...missing(liveItems, replayedItems), ...missing(replayedItems, liveItems)]);
	return [...new Set([...liveItems.keys(), ...replayedItems.keys()])].sort().flatMap((key) => {
		const [left, right] = [liveItems.get(key), replayedItems.get(key)];
		if (left === right || belongsTo(key, oneSided) || isOrderOfOthers(key, left, right)) {
			return [];
		}
		return [`${key}: ${difference(left, right)}`];
	});
}

/** Kind and name, in which quotes may hold anything, then the definition. */
const ITEM = /^((?:[^":]|"(?:[^"]|"")*")*)(?:: (.*))?$/s;

function itemsOf(lines: readonly string[]): Map<string, string> {
	return new Map(
		lines.map((line) => {
			const [, key = line, definition = ""] = ITEM.exec(line) ?? [];
			return [key, definition];
		}),
	);
}

function missing(items: Map<string, string>, others: Map<string, string>): string[] {
	return [...items.keys()].filter((key) => key.startsWith("table ") && !others.has(key));
}

/** Whether something is a part of a table that is on one side only: that the table is missing says it all. */
function belongsTo(key: string, tables: ReadonlySet<string>): boolean {
	const name = /^(?:column order|column|constraint|trigger|rule|policy) (.*)$/s.exec(key)?.[1];
	return name !== undefined && [...tables].some((table) => `${name}.`.startsWith(`${table.slice(6)}.`));
}

/** Whether two orders differ only since the columns do, which is told of the columns. */
function isOrderOfOthers(key: string, left: string | undefined, right: string | undefined): boolean {
	const sorted = (list: string | undefined) => list?.split(", ").sort().join(", ");
	return key.startsWith("column order ") && sorted(left) !== sorted(right);
}

function difference(live: string | undefined, replayed: string | undefined): string {
	if (replayed === undefined) return `only on the live side${shownDefinition(live)}`;
	if (live === undefined) return `only on the replayed side${shownDefinition(replayed)}`;
	if (!live.includes("\n") && !replayed.includes("\n")) {
		return `live has ${live || "nothing"}, replayed has ${replayed || "nothing"}`;
	}
	const [left, right] = [live.split("\n"), replayed.split("\n")];
	const index = left.findIndex((line, at) => line !== right[at]);
	const at = index === -1 ? left.length : index;
	return `differs in line ${at + 1}: live has ${shownLine(left[at])}, replayed has ${shownLine(right[at])}`;
}

function shownDefinition(definition: string | undefined): string {
	const [first, ...more] = (definition ?? "").split("\n");
	return first ? `: ${first}${more.length > 0 ? " …" : ""}` : "";
}

function shownLine(line: string | undefined): string {
	return line === undefined ? "none" : line.trim();
}
