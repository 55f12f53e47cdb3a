import { compareVersions, type Migration } from "../migrations/migration";

/** How migration files differ from those of a base. */
export interface MigrationChanges {
	added: Migration[];
	/** Changed since; refused where they have been applied. */
	changed: Migration[];
	removed: Migration[];
}

/** Compares migration files with those of a base, by their content. */
export function migrationChanges(base: readonly Migration[], now: readonly Migration[]): MigrationChanges {
	const before = new Map(base.map((migration) => [migration.version, migration]));
	const after = new Set(now.map(({ version }) => version));
	const inOrder = (migrations: Migration[]) =>
		migrations.sort((left, right) => compareVersions(left.version, right.version));
	return {
		added: inOrder(now.filter(({ version }) => !before.has(version))),
		changed: inOrder(
			now.filter(({ version, name, checksum }) => {
				const earlier = before.get(version);
				return earlier !== undefined && (earlier.checksum !== checksum || earlier.name !== name);
			}),
		),
		removed: inOrder(base.filter(({ version }) => !after.has(version))),
	};
}
