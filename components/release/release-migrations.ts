import { versionKey } from "../migrations/migration";
import type { ReleaseMigrations } from "./color-record";

/** How the migrations of two releases differ. Each list is in the order of the versions. */
export interface MigrationDifferences {
	/** Only in the second. */
	added: string[];
	/** Only in the first. */
	missing: string[];
	/** In both, under another name or with another content. */
	changed: string[];
}

/** Compares by version, name and checksum; type and dependencies are part of the file that the checksum is taken of. */
export function compareMigrations(from: ReleaseMigrations, to: ReleaseMigrations): MigrationDifferences {
	const versions = inOrder(from);
	return {
		added: inOrder(to).filter((version) => from[version] === undefined),
		missing: versions.filter((version) => to[version] === undefined),
		changed: versions.filter((version) => {
			const other = to[version];
			const own = from[version];
			return other !== undefined && (other.name !== own?.name || other.checksum !== own.checksum);
		}),
	};
}

export function sameMigrations(left: ReleaseMigrations, right: ReleaseMigrations): boolean {
	return Object.values(compareMigrations(left, right)).every((versions) => versions.length === 0);
}

/** As told to operators, such as `1.3.0 add_performance_indexes`. */
export function migrationTitle(version: string, migrations: ReleaseMigrations): string {
	return `${version} ${migrations[version]?.name}`;
}

function inOrder(migrations: ReleaseMigrations): string[] {
	return Object.keys(migrations).sort((a, b) => (versionKey(a) < versionKey(b) ? -1 : 1));
}
