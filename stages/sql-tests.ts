import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, DatabaseError } from "pg";
import { compareVersions } from "../components/migrations/migration";
import { linesBefore } from "../components/migrations/problems";
import { indexOfCharacter } from "../components/migrations/statements";

const FILE_NAME = /^(\d+\.\d+\.\d+)_\w+\.sql$/;
const ASSERTIONS = readFileSync(join(__dirname, "assertions.sql"), "utf8");

/** A file of tests of what a migration has made. */
export interface SqlTests {
	path: string;
	/** The migration's version; the tests are for every schema from there on. */
	version: string;
	sql: string;
}

export interface SqlTestResult {
	passed: boolean;
	name: string;
	detail: string;
}

/** The test files of a folder, in the order of their versions. */
export function readSqlTests(directory: string): SqlTests[] {
	return readdirSync(directory)
		.flatMap((name) => {
			const version = FILE_NAME.exec(name)?.[1];
			const path = join(directory, name);
			return version === undefined ? [] : [{ path, version, sql: readFileSync(path, "utf8") }];
		})
		.sort((left, right) => compareVersions(left.version, right.version) || (left.path < right.path ? -1 : 1));
}

/**
 * Runs the tests of a file in a transaction that is rolled back, whatever they do in it.
 *
 * @returns what each assertion found; an error outside of them is the last
 */
export async function runSqlTests(client: Client, { path, sql }: SqlTests): Promise<SqlTestResult[]> {
	await client.query("BEGIN READ WRITE; SET LOCAL lock_timeout = '5s'");
	try {
		await client.query(ASSERTIONS);
		await client.query("SAVEPOINT tests");
		let failure: SqlTestResult | undefined;
		try {
			await client.query(sql);
		} catch (error) {
			failure = { passed: false, name: path, detail: describe(error, sql) };
			await client.query("ROLLBACK TO SAVEPOINT tests");
		}
		const { rows } = await client.query<SqlTestResult>(
			"SELECT passed, name, coalesce(detail, '') AS detail FROM pg_temp.results ORDER BY number",
		);
		if (failure === undefined && rows.length === 0) {
			failure = { passed: false, name: path, detail: "it tests nothing: call one of the assertions" };
		}
		return failure === undefined ? rows : [...rows, failure];
	} finally {
		await client.query("ROLLBACK");
	}
}

function describe(error: unknown, sql: string): string {
	if (error instanceof DatabaseError && error.position !== undefined) {
		const line = 1 + linesBefore(sql, indexOfCharacter(sql, Number(error.position) - 1));
		return `line ${line}: ${error.message} (${error.code})`;
	}
	return error instanceof Error ? error.message : String(error);
}
