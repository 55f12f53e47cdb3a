import { rmSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type ClientBase, escapeLiteral } from "pg";
import { to as copyTo } from "pg-copy-streams";
import { explainWriteError, makeDirectory } from "../local/files";
import { type Destruction, destructionsOf } from "./destruction";
import type { Backup } from "./options";
import { titleOf } from "./plan";
import { type Column, type TableToSave, tablesToSave } from "./saved-tables";
import type { TargetSession } from "./session";
import type { Statement } from "./statements";

/** Ends the rows in a backup file. */
export const END_OF_ROWS = "\\.\n";

/**
 * Saves the rows that statements will destroy, within the transaction that destroys them: the tables are locked first,
 * so that nothing is written in between. Tables without rows need no file.
 *
 * Each file is SQL that puts its rows back into the migrated schema, for `restoreBackup` or psql.
 */
export async function saveRows(
	session: TargetSession,
	migration: { version: string; name: string },
	statements: Statement[],
	directory: string,
): Promise<Backup[]> {
	const { client, log } = session;
	const destructions = statements.flatMap(({ node }) => destructionsOf(node));
	for (const statement of unknownIn(destructions)) {
		log(`undoing ${titleOf(migration)} runs ${statement}: rows that it destroys are not saved`);
	}
	const tables = await tablesToSave(client, destructions);
	if (tables.length === 0) return [];
	await client.query(`LOCK TABLE ${tables.map(({ name }) => name).join(", ")} IN ACCESS EXCLUSIVE MODE`);
	const backups: Backup[] = [];
	try {
		for (const table of tables) {
			const backup = await saveTable(client, migration, table, directory);
			if (backup) backups.push(backup);
		}
	} catch (error) {
		removeBackups(backups);
		throw error;
	}
	return backups;
}

/** Removes the files of a transaction that was rolled back: its rows are all still there. */
export function removeBackups(backups: Backup[]): void {
	for (const { file } of backups) rmSync(file, { force: true });
}

function unknownIn(destructions: Destruction[]): Set<string> {
	return new Set(destructions.flatMap((each) => (each.what === "unknown" ? [each.statement] : [])));
}

async function saveTable(
	client: ClientBase,
	{ version, name }: { version: string; name: string },
	table: TableToSave,
	directory: string,
): Promise<Backup | undefined> {
	const { columns, before, after } = backupForm(table);
	const { rows } = await client.query(`SELECT EXISTS (SELECT FROM ${table.name}) AS any`);
	if (!rows[0].any || columns.length === 0) return undefined;
	const when = new Date().toISOString();
	const plainName = table.name.replace(/"/g, "").replace(/[^\p{L}\p{N}_.-]/gu, "_");
	const file = join(directory, `${when.replace(/:/g, "")}-${version}-${plainName}.sql`);
	const list = columns.map((column) => column.name).join(", ");
	const comment = [
		`Rows of ${table.name}, saved on ${when} before migration ${version} ${name} was undone.`,
		"Apply that migration again, then put the rows back: psql --set ON_ERROR_STOP=1 --file <this file>",
		"Rows that have the same primary key then get the saved values.",
		...definition(table),
	];
	const head = [
		// A name may hold a line end, which must not end the comment.
		...comment.map((line) => `-- ${line.replace(/\s/g, " ")}`),
		"BEGIN;",
		"SET LOCAL search_path = public;",
		...before,
		`COPY pg_temp.saved (${list}) FROM stdin;`,
	];
	makeDirectory(directory, 0o700);
	try {
		const handle = await open(file, "wx", 0o600);
		try {
			await handle.appendFile(`${head.join("\n")}\n`);
			const rowCount = await copyRows(client, `COPY (SELECT ${list} FROM ${table.name}) TO STDOUT`, handle);
			await handle.appendFile(`${END_OF_ROWS}${[...after, "COMMIT;"].join("\n")}\n`);
			await handle.sync();
			await syncDirectory(directory);
			return { version, table: table.name, file, rows: rowCount };
		} finally {
			await handle.close();
		}
	} catch (error) {
		rmSync(file, { force: true });
		throw explainWriteError(error, file);
	}
}

/** Returns how many rows there were: each is a line, since line ends in values are escaped. */
async function copyRows(client: ClientBase, sql: string, file: FileHandle): Promise<number> {
	const lineEnd = 10;
	let rows = 0;
	let failure: unknown;
	for await (const chunk of client.query(copyTo(sql)) as AsyncIterable<Buffer>) {
		// The connection is of use again only when it was read to the end, also when the disk is full.
		if (failure !== undefined) continue;
		for (let at = chunk.indexOf(lineEnd); at !== -1; at = chunk.indexOf(lineEnd, at + 1)) rows++;
		await file.appendFile(chunk).catch((error) => {
			failure = error;
		});
	}
	if (failure !== undefined) throw failure;
	return rows;
}

/** A new file survives a crash only when its name does. */
async function syncDirectory(directory: string): Promise<void> {
	const handle = await open(directory, "r");
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

interface BackupForm {
	/** The columns that are saved. */
	columns: Column[];
	/** SQL before the rows are read into `pg_temp.saved`, and after. */
	before: string[];
	after: string[];
}

function backupForm(table: TableToSave): BackupForm {
	const key = table.columns
		.filter((column) => column.keyPosition !== undefined)
		.sort((a, b) => a.keyPosition! - b.keyPosition!);
	const lost = table.lostColumns;
	const keyIsLost = lost !== undefined && key.some(({ name }) => lost.includes(name));
	if (keyIsLost || (key.length === 0 && !table.gone)) return asideForm(table);
	const columns = lost ? [...key, ...table.columns.filter(({ name }) => lost.includes(name))] : table.columns;
	const before = [
		`CREATE TEMPORARY TABLE saved (${columns.map(({ name, type }) => `${name} ${type}`).join(", ")}) ON COMMIT DROP;`,
	];
	const list = columns.map(({ name }) => name).join(", ");
	const keyList = key.map(({ name }) => name).join(", ");
	if (lost) {
		const assignments = lost.map((name) => `${name} = saved.${name}`).join(", ");
		const match = key.map(({ name }) => `target.${name} = saved.${name}`).join(" AND ");
		return {
			columns,
			before,
			after: [`UPDATE ${table.name} AS target SET ${assignments} FROM pg_temp.saved WHERE ${match};`],
		};
	}
	const others = columns.filter(({ name }) => !key.some((column) => column.name === name));
	const conflict =
		key.length > 0 && others.length > 0
			? `(${keyList}) DO UPDATE SET ${others.map(({ name }) => `${name} = EXCLUDED.${name}`).join(", ")}`
			: "DO NOTHING";
	return {
		columns,
		before,
		after: [
			`INSERT INTO ${table.name} (${list}) OVERRIDING SYSTEM VALUE SELECT ${list} FROM pg_temp.saved ON CONFLICT ${conflict};`,
			...columns.filter(({ sequence }) => sequence).map((column) => advanceSequence(table.name, column)),
		],
	};
}

/** Without a key, saved rows cannot be told from those that stayed: they are put beside the table. */
function asideForm(table: TableToSave): BackupForm {
	return {
		columns: table.columns,
		before: [
			`CREATE TEMPORARY TABLE saved (${table.columns.map(({ name, type }) => `${name} ${type}`).join(", ")}) ON COMMIT DROP;`,
		],
		after: [
			`-- ${table.name} has no primary key: compare with the table that is made here, and take from it what you need.`,
			`CREATE TABLE ${table.name.replace(/"?$/, (quote) => `_saved${quote}`)} AS SELECT * FROM pg_temp.saved;`,
		],
	};
}

function advanceSequence(table: string, column: Column): string {
	const plain = column.name.replace(/^"|"$/g, "").replace(/""/g, '"');
	const sequence = `pg_get_serial_sequence(${escapeLiteral(table)}, ${escapeLiteral(plain)})`;
	return `SELECT setval(${sequence}, max(${column.name})) FROM ${table} HAVING max(${column.name}) > nextval(${sequence});`;
}

/** The table as it was, for the case that nothing makes it again. */
function definition({ name, columns }: TableToSave): string[] {
	const lines = columns.map(({ name, type, notNull }) => `${name} ${type}${notNull ? " NOT NULL" : ""}`);
	return [
		`CREATE TABLE ${name} (`,
		...lines.map((line, index) => `  ${line}${index < lines.length - 1 ? "," : ""}`),
		");",
	];
}
