import { z } from "zod";

/** What resources are told of migration files, by version. */
export const migrationEntriesSchema = z.record(
	z.string(),
	z.object({
		name: z.string(),
		type: z.string(),
		checksum: z.string(),
		dependsOn: z.array(z.string()),
		irreversible: z.string().optional(),
	}),
);

/** The same as a list, as far as migrations are told apart by it. */
export function listEntries<Entry extends object>(
	entries: Readonly<Record<string, Entry>>,
): (Entry & { version: string })[] {
	return Object.entries(entries).map(([version, entry]) => ({ version, ...entry }));
}
