import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Section } from "./migration";

const POSTGRESQL_VERSION = "18";
const TIMEOUT_MS = 60_000;
const EXCLUDED = [
	// The run sets both timeouts itself, and goes on after an interrupted statement.
	"require-timeout-settings",
	"prefer-robust-stmts",
	// Matters of taste in a type, which endanger nobody when the migration runs.
	"prefer-text-field",
	"prefer-bigint-over-int",
	"prefer-bigint-over-smallint",
];
/** What PostgreSQL's own parser accepts is SQL, whatever squawk makes of it. */
const SYNTAX_ERROR = "syntax-error";

/** A section that is about to run. */
export interface LintedSection {
	version: string;
	direction: "up" | "down";
	section: Section;
}

/** What squawk has to say about one statement. */
export interface LintWarning {
	version: string;
	direction: "up" | "down";
	/** 1-based line of the section's file, or of the stored section. */
	line: number;
	rule: string;
	message: string;
	help?: string;
}

const reportSchema = z.array(
	z.object({
		file: z.string(),
		line: z.number(),
		message: z.string(),
		help: z.string().nullable(),
		rule_name: z.string(),
	}),
);

/**
 * Asks squawk which statements block the service or break its running release. All sections go to one process, those
 * outside a transaction to a second one.
 *
 * @returns the warnings in the order of the sections; undefined where squawk has no program for this platform.
 */
export async function lintSections(sections: LintedSection[]): Promise<LintWarning[] | undefined> {
	const program = squawkProgram();
	if (program === undefined) return undefined;
	const directory = await mkdtemp(join(tmpdir(), "migration-lint-"));
	try {
		await Promise.all(
			sections.map(({ section }, index) => writeFile(join(directory, `${index}.sql`), section.sql)),
		);
		const reports = await Promise.all([
			squawk(program, directory, indexes(sections, true), ["--assume-in-transaction"]),
			squawk(program, directory, indexes(sections, false), []),
		]);
		return reports
			.flat()
			.filter((found) => found.rule_name !== SYNTAX_ERROR)
			.map((found) => ({ ...found, index: Number.parseInt(found.file, 10) }))
			.sort((a, b) => a.index - b.index || a.line - b.line)
			.map(({ index, line, rule_name: rule, message, help }) => {
				const { version, direction, section } = sections[index]!;
				return {
					version,
					direction,
					line: section.line + line,
					rule,
					message,
					...(help !== null && { help }),
				};
			});
	} finally {
		await rm(directory, { recursive: true, force: true });
	}
}

function indexes(sections: LintedSection[], transaction: boolean): number[] {
	return [...sections.keys()].filter((index) => sections[index]!.section.transaction === transaction);
}

async function squawk(
	program: string,
	directory: string,
	files: number[],
	options: string[],
): Promise<z.infer<typeof reportSchema>> {
	if (files.length === 0) return [];
	const args = [
		"--reporter=json",
		`--pg-version=${POSTGRESQL_VERSION}`,
		...EXCLUDED.map((rule) => `--exclude=${rule}`),
		...options,
		...files.map((index) => `${index}.sql`),
	];
	const output = await new Promise<string>((resolve, reject) => {
		const settings = { cwd: directory, timeout: TIMEOUT_MS, maxBuffer: 1 << 28 };
		execFile(program, args, settings, (error, stdout, stderr) => {
			// It exits with 1 when it has something to say.
			if (error && error.code !== 1)
				reject(new Error(`squawk failed: ${stderr || error.message}`, { cause: error }));
			else resolve(stdout);
		});
	});
	return reportSchema.parse(JSON.parse(output));
}

/** The program inside squawk's package for this platform: starting it through node would take longer than its work. */
function squawkProgram(): string | undefined {
	const suffix = process.platform === "win32" ? ".exe" : "";
	const name = `@squawk-cli/${process.platform}-${process.arch}/bin/squawk${suffix}`;
	try {
		return require.resolve(name, { paths: [require.resolve("squawk-cli/package.json")] });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
		throw error;
	}
}
