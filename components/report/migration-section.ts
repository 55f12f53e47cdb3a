import type { LintWarning } from "../migrations/lint";
import { blockedBy, type LockMode, strongestMode } from "../migrations/locks/lock-modes";
import type { StatementEffect, Work } from "../migrations/locks/statement-effect";
import { effectOf } from "../migrations/locks/statement-locks";
import type { Migration } from "../migrations/migration";
import { lineOf, statementsOf } from "../migrations/statements";
import { code, fenced, folded, list, table } from "./markdown";

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

/** What a migration does, statement by statement: its locks, whom they keep waiting, its SQL and its way back. */
export async function migrationSection(
	migration: Migration,
	warnings: readonly LintWarning[],
): Promise<string> {
	const { version, name, type, up } = migration;
	const statements = await statementsOf(up);
	const made = new Set<string>();
	const effects = statements.map(({ sql, start, node }) => {
		const { locks, ...rest } = effectOf(node);
		// Nobody waits for what the migration has made itself.
		const known = { ...rest, locks: locks.filter(({ relation }) => !made.has(relation)) };
		for (const each of rest.makes) made.add(each);
		return { sql, line: lineOf(up, start), effect: known };
	});
	return [
		`### ${version} ${name}`,
		`${type}; ${transactionOf(
			migration,
			effects.map(({ effect }) => effect),
		)}`,
		table(
			["line", "statement", "lock", "keeps waiting", "takes"],
			effects.map(({ sql, line, effect }) => [
				String(line),
				code(shortened(sql)),
				lockText(effect),
				blockedText(effect),
				DURATION[effect.work],
			]),
		),
		...notes(effects.map(({ effect }) => effect)),
		...(warnings.length === 0
			? []
			: [
					`What squawk says:\n${list(warnings.map(({ line, rule, message }) => `line ${line}: ${message} (${rule})`))}`,
				]),
		`Way back: ${wayBack(migration)}`,
		folded("SQL", fenced(up.sql, "sql")),
	].join("\n\n");
}

/** The strongest lock that a migration takes of what was there before it; undefined where it takes none. */
export async function strongestLock({ up }: Migration): Promise<LockMode | undefined> {
	const made = new Set<string>();
	const modes = (await statementsOf(up)).flatMap(({ node }) => {
		const { locks, makes } = effectOf(node);
		const found = locks.filter(({ relation }) => !made.has(relation)).map(({ mode }) => mode);
		for (const each of makes) made.add(each);
		return found;
	});
	return strongestMode(modes);
}

function transactionOf({ up }: Migration, effects: readonly StatementEffect[]): string {
	if (!up.transaction) {
		return "statement by statement, outside a transaction: each lock is let go when its statement ends";
	}
	const strongest = strongestMode(effects.flatMap(({ locks }) => locks.map(({ mode }) => mode)));
	return effects.length > 1 && strongest !== undefined && blockedBy(strongest) !== "nothing"
		? "in one transaction: each lock is held until the last statement is done"
		: "in one transaction";
}

function lockText({ locks, makes }: StatementEffect): string {
	return locks.length > 0
		? locks.map(({ mode, relation }) => `${mode} on ${relation}`).join("; ")
		: makes.length > 0
			? `none but of what it makes (${makes.join(", ")})`
			: "none that is told by the statement";
}

function blockedText({ locks }: StatementEffect): string {
	const strongest = strongestMode(locks.map(({ mode }) => mode));
	return strongest === undefined ? "nobody" : blockedBy(strongest).replace("nothing", "nobody");
}

function notes(effects: readonly StatementEffect[]): string[] {
	const all = [...new Set(effects.flatMap(({ notes: own }) => own))];
	return all.length === 0 ? [] : [list(all)];
}

function wayBack({ down, irreversible }: Migration): string {
	return down === undefined
		? `none, since ${irreversible}. Production takes it only when \`approvedMigrations\` names it. With blue-green the colour before is there all the same`
		: `its down section${down.transaction ? ", in one transaction" : ", statement by statement"}; rows that it destroys are saved first. With blue-green it is not needed: the colour before follows`;
}

function shortened(sql: string): string {
	const line = sql.replaceAll(/\s+/g, " ").trim();
	return line.length <= LONGEST_STATEMENT ? line : `${line.slice(0, LONGEST_STATEMENT - 1)}…`;
}
