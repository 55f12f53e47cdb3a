import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inc } from "semver";
import { highestVersion, type Migration } from "./migration";

/**
 * Writes the beginnings of a migration, at the next minor version after the newest one. It says itself what is still to
 * be written, and is refused until that is done.
 *
 * @param name as in `add_zones`
 * @returns the file's path
 * @throws Error when the name is none, or is taken
 */
export function writeNewMigration(directory: string, name: string, known: readonly Migration[]): string {
	if (!/^[\p{L}\p{M}\p{N}_-]+$/u.test(name)) {
		throw new Error(
			`found ${JSON.stringify(name)} as the migration's name; allowed: letters, digits, _ and -, as in add_zones`,
		);
	}
	if (known.some((migration) => migration.name === name)) {
		throw new Error(`there is a migration ${name} already: choose another name`);
	}
	const newest = highestVersion(known.map(({ version }) => version));
	const path = join(directory, `${nextVersion(newest)}_${name}.sql`);
	const before = known.find(({ version }) => version === newest);
	writeFileSync(path, content(before?.name), { flag: "wx" });
	return path;
}

function nextVersion(newest: string | undefined): string {
	return newest === undefined ? "1.0.0" : inc(newest, "minor")!;
}

/** A statement that is none, so that a file which was forgotten stops an update before it begins. */
function content(before: string | undefined): string {
	const depends = before === undefined ? "" : `-- depends: ${before}\n`;
	return `-- type: schema\n${depends}\n-- migrate:up\nwrite what applies it;\n\n-- migrate:down\nwrite what undoes it;\n`;
}
