import type { LintWarning } from "../migrations/lint";
import { blockedBy, strongestMode } from "../migrations/locks/lock-modes";
import { type SectionStatement, sectionEffects } from "../migrations/locks/section-effects";
import type { Migration, Section } from "../migrations/migration";
import { code, fenced, folded, list, plain } from "./markdown";
import { statementTable } from "./statement-table";

/** What a migration does, statement by statement: its locks, whom they keep waiting, its SQL and its way back. */
export async function migrationSection(
	migration: Migration,
	warnings: readonly LintWarning[],
): Promise<string> {
	const { version, name, type, up, path } = migration;
	const statements = await sectionEffects(up);
	return [
		`### ${version} ${name}`,
		`${type}; ${transactionOf(up, statements)}`,
		statementTable(statements),
		...lintText(warnings),
		folded("SQL", sqlText(up, path)),
		await wayBack(migration),
	].join("\n\n");
}

/** What a migration's undoing does, statement by statement. */
export async function undoneSection(
	{ version, name, down, path }: Migration,
	warnings: readonly LintWarning[],
): Promise<string> {
	if (down === undefined) {
		return `### ${version} ${name}, undone\n\nIt has no down section.`;
	}
	const statements = await sectionEffects(down);
	return [
		`### ${version} ${name}, undone`,
		`${transactionOf(down, statements)}; rows that it destroys are saved first`,
		statementTable(statements),
		...lintText(warnings),
		folded("SQL", sqlText(down, path)),
	].join("\n\n");
}

function lintText(warnings: readonly LintWarning[]): string[] {
	const told = warnings.map(({ line, rule, message }) => `line ${line}: ${message} (${rule})`);
	return told.length === 0 ? [] : [`What squawk says:\n${list(told)}`];
}

/** Characters of one section's SQL that are shown. */
const LONGEST_SQL = 8000;

function sqlText({ sql }: Section, path: string): string {
	const text = sql.trim();
	if (text.length <= LONGEST_SQL) {
		return fenced(text, "sql");
	}
	const end = text.lastIndexOf("\n", LONGEST_SQL);
	const shown = text.slice(0, end > 0 ? end : LONGEST_SQL);
	return `${fenced(shown, "sql")}\n\n${text.length - shown.length} characters more are in ${code(path)}.`;
}

/** What sections lock together of what was there before each of them. */
export async function locksTaken(sections: readonly Section[]): Promise<"none" | "some" | "partly unknown"> {
	const effects = (await Promise.all(sections.map((section) => sectionEffects(section))))
		.flat()
		.map(({ effect }) => effect);
	if (effects.some(({ work }) => work === "unknown")) {
		return "partly unknown";
	}
	return effects.some(({ locks }) => locks.length > 0) ? "some" : "none";
}

function transactionOf({ transaction }: Section, statements: readonly SectionStatement[]): string {
	if (!transaction) {
		return "statement by statement, outside a transaction: each lock is let go when its statement ends";
	}
	const effects = statements.map(({ effect }) => effect);
	const strongest = strongestMode(effects.flatMap(({ locks }) => locks.map(({ mode }) => mode)));
	return effects.length > 1 && strongest !== undefined && blockedBy(strongest) !== "nothing"
		? "in one transaction: each lock is held until the last statement is done"
		: "in one transaction";
}

async function wayBack({ down, irreversible, path }: Migration): Promise<string> {
	if (down === undefined) {
		return `Way back: none, since ${plain(irreversible ?? "")}. Production takes it only when \`approvedMigrations\` names it. With blue-green the colour before is there all the same`;
	}
	const statements = await sectionEffects(down);
	return [
		`Way back: its down section, ${transactionOf(down, statements)}; rows that it destroys are saved first. With blue-green it is not needed: the colour before follows`,
		statementTable(statements),
		folded("SQL of the way back", sqlText(down, path)),
	].join("\n\n");
}
