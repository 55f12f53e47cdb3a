import { loadMigrations } from "../migrations/files";
import { highestVersion, type Migration } from "../migrations/migration";
import { wantedFor } from "../migrations/order";
import { runningIn } from "../migrations/seed-data";
import type { Settings } from "../settings/settings";

/** The migrations that a release brings to an environment. */
export interface ReleaseFiles {
	/** Those of the release, in the order of their application. */
	migrations: Migration[];
	/** Seed data that the environment does not get. */
	leftOut: Migration[];
	/** Versions of the migrations that can be undone, of all that there are files of. */
	reversible: string[];
	/** The schema version that the release needs: that of its newest migration. */
	requiredSchema: string;
	/** Whether there is a migration of the release's own version. */
	bringsMigration: boolean;
}

/**
 * Finds the migrations of a release among their files.
 *
 * @throws MigrationFilesError with everything that is wrong with the files
 * @throws Error when the release has no migration at all
 */
export function releaseFiles({
	release,
	environment,
	migrationsDirectory,
}: Pick<Settings, "release" | "environment" | "migrationsDirectory">): ReleaseFiles {
	const files = loadMigrations(migrationsDirectory);
	const released = wantedFor(release, files);
	const migrations = runningIn(environment, released);
	if (migrations.length === 0) {
		throw new Error(
			files.length === 0
				? `${migrationsDirectory} has no migrations: add the first one`
				: `release: found ${release}; allowed: ${files[0]?.version} or newer, the version of the first migration`,
		);
	}
	return {
		migrations,
		leftOut: released.filter((migration) => !migrations.includes(migration)),
		reversible: files.filter(({ down }) => down !== undefined).map(({ version }) => version),
		requiredSchema: highestVersion(migrations.map(({ version }) => version)) ?? "none",
		bringsMigration: files.some(({ version }) => version === release),
	};
}
