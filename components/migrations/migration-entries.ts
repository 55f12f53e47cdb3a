import { z } from "zod";
import type { Migration } from "./migration";

/** What resources are told of migration files, by version. */
export const migrationEntriesSchema = z.record(
	z.string(),
	z.object({
		name: z.string(),
		type: z.string(),
		checksum: z.string(),
		dependsOn: z.array(z.string()),
		/** Why it cannot be undone; left out when it can. */
		irreversible: z.string().optional(),
	}),
);

export type MigrationEntry = z.infer<typeof migrationEntriesSchema>[string];

/** What resources are told of migration files. */
export function migrationEntries(migrations: readonly Migration[]): Record<string, MigrationEntry> {
	return Object.fromEntries(
		migrations.map(({ version, name, type, checksum, dependsOn, irreversible }) => [
			version,
			{ name, type, checksum, dependsOn, ...(irreversible !== undefined && { irreversible }) },
		]),
	);
}

/** The same as a list, as far as migrations are told apart by it. */
export function listEntries<Entry extends object>(
	entries: Readonly<Record<string, Entry>>,
): (Entry & { version: string })[] {
	return Object.entries(entries).map(([version, entry]) => ({ version, ...entry }));
}
