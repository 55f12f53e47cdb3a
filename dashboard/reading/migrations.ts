import type { ClientBase } from "pg";
import type { MigrationRow, Traffic } from "../state";
import { moment, TEXT_LENGTH, whole } from "./rows";

interface Row {
	target_database: string;
	migration_version: string;
	migration_name: string;
	migration_type: string;
	status: string;
	is_applied: boolean;
	applied_at: Date | null;
	execution_time_ms: string | null;
	error_message: string | null;
}

/** Every migration of the databases in use, newest first, with what it is on each of them. */
export async function readMigrations(
	client: ClientBase,
	traffic: Traffic,
	database: string | undefined,
): Promise<MigrationRow[]> {
	const labels = labelsOf(traffic, database);
	const { rows } = await client.query<Row>(
		`SELECT target_database, migration_version, migration_name, migration_type, status, is_applied, applied_at,
			execution_time_ms, left(error_message, $2) AS error_message
		FROM deployment_migrations
		WHERE target_database = ANY ($1)
		ORDER BY string_to_array(migration_version, '.')::integer[] DESC`,
		[[...labels.keys()], TEXT_LENGTH],
	);
	const byVersion = new Map<string, MigrationRow>();
	for (const row of rows) {
		const { migration_version: version, migration_name: name, migration_type: type } = row;
		const migration = byVersion.get(version) ?? { version, name, type, on: {} };
		byVersion.set(version, migration);
		migration.on[labels.get(row.target_database)!] = {
			status: row.status,
			applied: row.is_applied,
			appliedAt: moment(row.applied_at),
			durationMs: whole(row.execution_time_ms),
			error: row.error_message,
		};
	}
	return [...byVersion.values()];
}

/** What the page calls each database, by the name that the catalog has it under. */
function labelsOf({ colors }: Traffic, database: string | undefined): Map<string, string> {
	if (colors.length === 0) {
		return new Map(database === undefined ? [] : [[database, "database"]]);
	}
	return new Map(
		colors.flatMap(({ color, database: own, building }): [string, string][] => [
			...(own === null ? [] : [[own, color] as [string, string]]),
			...(building === null ? [] : [[building.database, "building"] as [string, string]]),
		]),
	);
}
