import { hasSqlDetails, loadModule, type Node, parseSync } from "libpg-query";
import type { Migration, Section } from "./migration";
import { excerptAt, type FileProblem, linesBefore, MigrationFilesError } from "./problems";
import { notInTransaction } from "./transaction-rules";

/** One statement of a section. */
export interface Statement {
	sql: string;
	/** Index in the section's SQL at which it begins. */
	start: number;
	node: Node;
}

const parsed = new WeakMap<Section, Statement[]>();

/**
 * Splits a section into its statements with PostgreSQL's own parser.
 *
 * @throws Error when the parser refuses it; see {@link verifyMigrations} for the full report.
 */
export async function statementsOf(section: Section): Promise<Statement[]> {
	await loadModule();
	return splitSection(section);
}

function splitSection(section: Section): Statement[] {
	const known = parsed.get(section);
	if (known) return known;
	const { sql } = section;
	// The parser counts bytes.
	const bytes = Buffer.from(sql, "utf8");
	let byte = 0;
	let index = 0;
	const statements = (parseSync(sql).stmts ?? []).map(
		({ stmt, stmt_location: from = 0, stmt_len: length }) => {
			const text = bytes.toString("utf8", from, length ? from + length : bytes.length);
			index += bytes.toString("utf8", byte, from).length;
			byte = from;
			const blank = blankLength(text);
			return { sql: text.slice(blank), start: index + blank, node: stmt! };
		},
	);
	parsed.set(section, statements);
	return statements;
}

/** Length of the white space and comments that `sql` begins with. */
function blankLength(sql: string): number {
	let at = 0;
	for (;;) {
		const rest = sql.slice(at);
		const blank = /^(\s+|--[^\n]*)/.exec(rest)?.[0].length;
		if (blank !== undefined) {
			at += blank;
		} else if (rest.startsWith("/*")) {
			at += blockCommentLength(rest);
		} else {
			return at;
		}
	}
}

function blockCommentLength(sql: string): number {
	let depth = 0;
	for (const { 0: bracket, index } of sql.matchAll(/\/\*|\*\//g)) {
		depth += bracket === "/*" ? 1 : -1;
		if (depth === 0) return index + 2;
	}
	return sql.length;
}

/**
 * Looks into the SQL of migrations that are about to run, both ways.
 *
 * @throws MigrationFilesError with everything that PostgreSQL would refuse, or that could not be recorded truly.
 */
export async function verifyMigrations(migrations: Iterable<Migration>): Promise<void> {
	await loadModule();
	const problems: FileProblem[] = [];
	for (const migration of migrations) {
		problems.push(...sectionProblems(migration.path, migration.up));
		if (migration.down) problems.push(...sectionProblems(migration.path, migration.down));
	}
	if (problems.length > 0) throw new MigrationFilesError(problems);
}

function sectionProblems(path: string, section: Section): FileProblem[] {
	let statements: Statement[];
	try {
		statements = splitSection(section);
	} catch (error) {
		if (!hasSqlDetails(error)) throw error;
		return [syntaxProblem(path, section, error.message, error.sqlDetails?.cursorPosition ?? 0)];
	}
	if (statements.length === 0) {
		return [
			{
				path,
				line: section.line,
				what: "the section has no statement",
				mend: "write its SQL below the mark",
			},
		];
	}
	return statements.flatMap((statement) => {
		const refusal = refusalOf(statement.node, section.transaction);
		return refusal ? [{ path, line: lineOf(section, statement.start), ...refusal }] : [];
	});
}

function syntaxProblem(path: string, section: Section, message: string, position: number): FileProblem {
	const index = indexOfCharacter(section.sql, position);
	const meta = section.sql[index] === "\\";
	return {
		path,
		line: lineOf(section, index),
		what: meta ? "commands of psql are not SQL" : message,
		mend: meta ? "write what it does in SQL" : "correct the SQL",
		excerpt: excerptAt(section.sql, index),
	};
}

function refusalOf(node: Node, transaction: boolean): { what: string; mend: string } | undefined {
	if ("TransactionStmt" in node) {
		return transaction
			? {
					what: "transaction control inside a migration",
					mend: "remove it: the migration runs in one transaction together with its record",
				}
			: {
					what: "transaction control between the statements of a transaction:false section",
					mend: "move what must happen together into a migration of its own, which runs in a transaction",
				};
	}
	if ("CopyStmt" in node && !node.CopyStmt.filename && !node.CopyStmt.is_program) {
		return { what: "COPY from or to the client has no client here", mend: "write the rows with INSERT" };
	}
	if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") {
		return {
			what: "DISCARD ALL would give up the lock of the run",
			mend: "remove it: every migration begins with a clean session",
		};
	}
	if ("IndexStmt" in node && node.IndexStmt.concurrent && !node.IndexStmt.idxname) {
		return {
			what: "CREATE INDEX CONCURRENTLY without a name",
			mend: "name the index, so that an interrupted build can be found and done again",
		};
	}
	if (
		!transaction &&
		"VariableSetStmt" in node &&
		/^(role|session_authorization)$/.test(node.VariableSetStmt.name ?? "")
	) {
		return {
			what: "another role cannot write down which statements of a transaction:false section are done",
			mend: "use ALTER … OWNER TO, or move the statements into a migration that runs in a transaction",
		};
	}
	const standalone = transaction ? notInTransaction(node) : undefined;
	return standalone === undefined
		? undefined
		: {
				what: `${standalone} cannot run in a transaction`,
				mend: "write transaction:false behind the section's mark",
			};
}

/** The file's line of the character at `index` of a section's SQL. */
export function lineOf(section: Section, index: number): number {
	return section.line + linesBefore(section.sql, index);
}

/** PostgreSQL counts characters, JavaScript UTF-16 units. */
export function indexOfCharacter(text: string, position: number): number {
	let index = 0;
	for (let count = 0; count < position && index < text.length; count++) {
		index += text.codePointAt(index)! > 0xffff ? 2 : 1;
	}
	return index;
}
