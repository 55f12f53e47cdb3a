import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { parseMigrationFile } from "./file-format";
import type { Migration } from "./migration";
import { orderMigrations } from "./order";
import { type FileProblem, MigrationFilesError } from "./problems";
import { seedProblems } from "./seed-data";

/**
 * Reads every migration file of a directory, in the order in which they are to be applied: dependencies first, then by
 * version. Files that do not end in .sql are left alone. The SQL itself is looked into by `verifyMigrations`.
 *
 * @throws MigrationFilesError with everything that is wrong with the files.
 */
export function loadMigrations(directory: string): Migration[] {
	const shownDirectory = join(shown(directory), sep);
	const problems: FileProblem[] = [];
	const migrations: Migration[] = [];
	const dependsLines = new Map<Migration, number>();
	for (const fileName of sqlFiles(directory)) {
		const bytes = readFileSync(join(directory, fileName));
		const parsed = parseMigrationFile(fileName, `${shownDirectory}${fileName}`, bytes);
		problems.push(...parsed.problems);
		if (parsed.migration) {
			migrations.push(parsed.migration);
			dependsLines.set(parsed.migration, parsed.dependsLine);
		}
	}
	problems.push(...doubles(migrations, "version"), ...doubles(migrations, "name"));
	const { ordered, problems: orderProblems } = orderMigrations(migrations);
	// A file that could not be read would only seem to be missing.
	if (problems.length === 0) {
		for (const { migration, what, mend } of [...orderProblems, ...seedProblems(migrations)]) {
			problems.push({ path: migration.path, line: dependsLines.get(migration) ?? 1, what, mend });
		}
	}
	if (problems.length > 0) throw new MigrationFilesError(problems);
	return ordered;
}

function sqlFiles(directory: string): string[] {
	try {
		return readdirSync(directory, { withFileTypes: true })
			.filter((entry) => !entry.isDirectory() && /\.sql$/i.test(entry.name))
			.map((entry) => entry.name)
			.sort();
	} catch (cause) {
		const why = cause instanceof Error ? cause.message : String(cause);
		throw new Error(`cannot read the migrations in ${directory}: ${why}`, { cause });
	}
}

function doubles(migrations: Migration[], key: "version" | "name"): FileProblem[] {
	const first = new Map<string, Migration>();
	return migrations.flatMap((migration) => {
		const other = first.get(migration[key]);
		if (!other) {
			first.set(migration[key], migration);
			return [];
		}
		const what = `the ${key} ${migration[key]} is also that of ${other.path}`;
		return [{ path: migration.path, line: 1, what, mend: `give one of them another ${key}` }];
	});
}

/** Paths in messages are the same on every machine as long as the files are below the working directory. */
function shown(directory: string): string {
	const fromHere = relative(process.cwd(), directory);
	return fromHere.startsWith("..") ? directory : fromHere;
}
