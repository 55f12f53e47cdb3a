import type { ClientBase } from "pg";

export type CatalogMigrationStatus = "pending" | "running" | "completed" | "failed" | "rolled_back";

/** A migration as the catalog describes it. */
export interface CatalogMigration {
	version: string;
	name: string;
	type: string;
	sql: string;
	/** Null for an irreversible migration. */
	rollbackSql: string | null;
	dependsOn: string[];
	checksum: string;
}

/** What the catalog says of one migration of one target database. */
export interface CatalogMigrationState {
	id: number;
	version: string;
	checksum: string;
	status: CatalogMigrationStatus;
	isApplied: boolean;
	hasHistory: boolean;
}

/** One step of one migration: a line of the execution log and the status that the migration has from then on. */
export interface MigrationStep {
	migrationId: number;
	deploymentId: number;
	step: string;
	stepStatus: "started" | "completed" | "failed";
	/** When it happened. */
	at: Date;
	durationMs?: number;
	output?: string;
	error?: string;
	migration: {
		status: CatalogMigrationStatus;
		isApplied: boolean;
		appliedAt?: Date;
		appliedBy?: string;
		durationMs?: number;
	};
}

/** A migration that is applied, with the SQL that did it and the SQL that undoes it. */
export interface StoredMigration extends CatalogMigration {
	appliedAt: Date;
	appliedBy: string;
	durationMs: number;
}

/** What the catalog has as applied to a target database, in the order of application. */
export async function appliedMigrations(client: ClientBase, target: string): Promise<StoredMigration[]> {
	const { rows } = await client.query(
		`SELECT migration_version, migration_name, migration_type, migration_sql, rollback_sql, dependencies, checksum,
			applied_at, applied_by, execution_time_ms
		FROM deployment_migrations WHERE target_database = $1 AND is_applied
		ORDER BY applied_at, string_to_array(migration_version, '.')::integer[]`,
		[target],
	);
	return rows.map((row) => ({
		version: row.migration_version,
		name: row.migration_name,
		type: row.migration_type,
		sql: row.migration_sql,
		rollbackSql: row.rollback_sql,
		dependsOn: row.dependencies,
		checksum: row.checksum,
		appliedAt: row.applied_at,
		appliedBy: row.applied_by,
		durationMs: Number(row.execution_time_ms ?? 0),
	}));
}

/** The digest of what the catalog last copied from the target, or undefined when a run has begun since. */
export async function catalogDigest(client: ClientBase, target: string): Promise<string | undefined> {
	const { rows } = await client.query("SELECT digest FROM migration_targets WHERE target_database = $1", [
		target,
	]);
	return rows[0]?.digest ?? undefined;
}

/**
 * Says that the catalog equals the target's records with this digest; null says that it may not. Everything that this
 * connection wrote before is durable afterwards, even if it was written with `synchronous_commit = off`.
 */
export async function setCatalogDigest(
	client: ClientBase,
	target: string,
	digest: string | null,
): Promise<void> {
	await client.query("BEGIN; SET LOCAL synchronous_commit = on");
	await client.query(
		`INSERT INTO migration_targets (target_database, digest) VALUES ($1, $2)
		ON CONFLICT (target_database) DO UPDATE SET digest = EXCLUDED.digest`,
		[target, digest],
	);
	await client.query("COMMIT");
}

/** Every migration that the catalog has for a target database. */
export async function migrationStates(client: ClientBase, target: string): Promise<CatalogMigrationState[]> {
	const { rows } = await client.query(
		`SELECT id, migration_version, checksum, status, is_applied,
			EXISTS (SELECT FROM deployment_execution_logs WHERE migration_id = deployment_migrations.id) AS has_history
		FROM deployment_migrations WHERE target_database = $1`,
		[target],
	);
	return rows.map((row) => ({
		id: Number(row.id),
		version: row.migration_version,
		checksum: row.checksum,
		status: row.status,
		isApplied: row.is_applied,
		hasHistory: row.has_history,
	}));
}

/** Writes migrations as pending, with their SQL. Returns their ids by version. */
export async function announceMigrations(
	client: ClientBase,
	target: string,
	migrations: CatalogMigration[],
): Promise<Map<string, number>> {
	const { rows } = await client.query(
		`INSERT INTO deployment_migrations (target_database, migration_version, migration_name, migration_type,
			migration_sql, rollback_sql, dependencies, checksum)
		SELECT $1, version, name, type, sql, "rollbackSql", "dependsOn", checksum
		FROM jsonb_to_recordset($2::jsonb) AS announced (version text, name text, type text, sql text,
			"rollbackSql" text, "dependsOn" text[], checksum text)
		ON CONFLICT (target_database, migration_version) DO UPDATE SET
			migration_name = EXCLUDED.migration_name, migration_type = EXCLUDED.migration_type,
			migration_sql = EXCLUDED.migration_sql, rollback_sql = EXCLUDED.rollback_sql,
			dependencies = EXCLUDED.dependencies, checksum = EXCLUDED.checksum,
			status = 'pending', is_applied = false, applied_at = NULL, applied_by = NULL, execution_time_ms = NULL,
			error_message = NULL
		RETURNING id, migration_version`,
		[target, JSON.stringify(migrations)],
	);
	return new Map(rows.map((row) => [row.migration_version, Number(row.id)]));
}

/** Forgets migrations that were announced and never begun. */
export async function withdrawMigrations(client: ClientBase, ids: number[]): Promise<void> {
	await client.query("DELETE FROM deployment_migrations WHERE id = ANY ($1::bigint[])", [ids]);
}

/** Writes steps in their order, in one statement; a migration gets the status of its last step. */
export async function writeSteps(client: ClientBase, steps: MigrationStep[]): Promise<void> {
	const last = new Map(steps.map((step) => [step.migrationId, step]));
	await client.query(
		`WITH log AS (
			INSERT INTO deployment_execution_logs (deployment_id, migration_id, execution_step, step_status,
				step_duration_ms, step_output, error_message, created_at)
			SELECT "deploymentId", "migrationId", step, "stepStatus", "durationMs", output, error, at
			FROM jsonb_to_recordset($1::jsonb) AS taken ("deploymentId" bigint, "migrationId" bigint, step text,
				"stepStatus" text, "durationMs" bigint, output text, error text, at timestamptz)
		)
		UPDATE deployment_migrations AS migration
		SET status = state.status, is_applied = state."isApplied", applied_at = state."appliedAt",
			applied_by = state."appliedBy", execution_time_ms = state."durationMs", error_message = state.error
		FROM jsonb_to_recordset($2::jsonb) AS state (id bigint, status text, "isApplied" boolean,
			"appliedAt" timestamptz, "appliedBy" text, "durationMs" bigint, error text)
		WHERE migration.id = state.id`,
		[
			JSON.stringify(steps),
			JSON.stringify(
				[...last.values()].map(({ migrationId, migration, error }) => ({
					id: migrationId,
					...migration,
					error,
				})),
			),
		],
	);
}
