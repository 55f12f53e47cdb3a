import type { Migration } from "../migrations/migration";

/**
 * What stands against migrations that cannot be undone: that nobody has approved them by name.
 *
 * @param known versions that the stack has applied already
 * @returns the sentence to refuse the update with; undefined when nothing stands against it
 */
export function approvalFault(
	migrations: readonly Pick<Migration, "version" | "name" | "irreversible">[],
	known: readonly string[],
	approved: readonly string[],
): string | undefined {
	const missing = migrations.filter(
		({ version, irreversible }) =>
			irreversible !== undefined && !known.includes(version) && !approved.includes(version),
	);
	if (missing.length === 0) {
		return undefined;
	}
	const names = missing
		.map(({ version, name, irreversible }) => `${version} ${name} (${irreversible})`)
		.join(", ");
	const versions = [...approved, ...missing.map(({ version }) => version)].join(", ");
	return `migrations that cannot be undone have to be approved by name: ${names}; set approvedMigrations to ${JSON.stringify(versions)}`;
}
