import { blockedBy, strongestMode } from "../migrations/locks/lock-modes";
import type { SectionStatement } from "../migrations/locks/section-effects";
import type { StatementEffect, Work } from "../migrations/locks/statement-effect";
import { code, list, plain, table } from "./markdown";

/** How long a statement's work takes, in words. */
const DURATION: Record<Work, string> = {
	"catalog only": "at once",
	"reads rows": "as long as the rows take that it names",
	"changes rows": "as long as the rows take that it names",
	"scans the table": "grows with the table: reads it",
	"builds an index": "grows with the table: builds an index",
	"rewrites the table": "grows with the table: rewrites it",
	unknown: "unknown",
};

const LONGEST_STATEMENT = 70;
const UNKNOWN = "unknown";

/** What statements lock, whom that keeps waiting, and how long; below it what a reader has to know besides. */
export function statementTable(statements: readonly SectionStatement[]): string {
	const notes = [...new Set(statements.flatMap(({ effect }) => effect.notes))];
	return [
		table(
			["line", "statement", "lock", "keeps waiting", "takes"],
			grouped(statements).map(([{ sql, line, effect }, ...more]) => [
				more.length === 0 ? String(line) : `${line}–${more.at(-1)!.line}`,
				`${code(shortened(sql))}${more.length === 0 ? "" : ` and ${more.length} like it`}`,
				lockText(effect),
				blockedText(effect),
				DURATION[effect.work],
			]),
		),
		...(notes.length === 0 ? [] : [list(notes)]),
	].join("\n\n");
}

type Group = [SectionStatement, ...SectionStatement[]];

/** Statements on rows that follow each other and are told in the same words. */
function grouped(statements: readonly SectionStatement[]): Group[] {
	const groups: Group[] = [];
	for (const statement of statements) {
		const group = groups.at(-1);
		if (group !== undefined && isLike(group[0], statement)) group.push(statement);
		else groups.push([statement]);
	}
	return groups;
}

function isLike(one: SectionStatement, other: SectionStatement): boolean {
	const told = ({ node, effect }: SectionStatement) =>
		[Object.keys(node)[0], effect.work, lockText(effect), blockedText(effect)].join();
	return /^(reads|changes) rows$/.test(one.effect.work) && told(one) === told(other);
}

function lockText({ locks, makes, work }: StatementEffect): string {
	const told = locks.map(({ mode, relation }) => `${mode} on ${relationCode(relation)}`);
	if (work === UNKNOWN) {
		return told.length === 0 ? UNKNOWN : [...told, "others unknown"].join("; ");
	}
	if (told.length > 0) {
		return told.join("; ");
	}
	return makes.length === 0 ? "none" : `none but of what it makes (${makes.map(code).join(", ")})`;
}

/** A name as code; words for relations that have none in the statement as they are. */
function relationCode(relation: string): string {
	return /^(every|the table of) /.test(relation) ? plain(relation) : code(relation);
}

function blockedText({ locks, work }: StatementEffect): string {
	const strongest = strongestMode(locks.map(({ mode }) => mode));
	const blocked = strongest === undefined ? "nothing" : blockedBy(strongest);
	if (work === UNKNOWN && blocked !== "reads and writes") {
		return UNKNOWN;
	}
	return blocked === "nothing" ? "nobody" : blocked;
}

function shortened(sql: string): string {
	const line = sql.replaceAll(/\s+/g, " ").trim();
	return line.length <= LONGEST_STATEMENT ? line : `${line.slice(0, LONGEST_STATEMENT - 1)}…`;
}
