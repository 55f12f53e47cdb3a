import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ClientBase, DatabaseError } from "pg";
import type { AppliedMigration, Migration, RecordState, Section } from "./migration";

const SCHEMA = join(__dirname, "target-schema.sql");
const NO_SUCH_TABLE = "42P01";

/** Makes the schema `deployment` in the target database when it is not there. The run's lock must be held. */
export async function ensureRecords(client: ClientBase): Promise<void> {
	const { rows } = await client.query("SELECT to_regclass('deployment.schema_migrations') IS NULL AS absent");
	if (rows[0].absent) await client.query(`BEGIN; ${readFileSync(SCHEMA, "utf8")}; COMMIT`);
}

/** The digest of all records; undefined when it is not known or there are no records at all. */
export async function targetDigest(client: ClientBase): Promise<string | undefined> {
	const rows = await queryRecords(client, "SELECT digest FROM deployment.schema_state");
	return (rows[0]?.digest as string | null | undefined) ?? undefined;
}

/** Every record, oldest application first; none when nothing was ever applied. */
export async function readRecords(client: ClientBase): Promise<AppliedMigration[]> {
	const rows = await queryRecords(
		client,
		`SELECT version, name, type, checksum, depends_on, state, sequence::text, statements_done, statement_sent,
			irreversible, applied_at, applied_by, duration_ms::text, deployment_id::text
		FROM deployment.schema_migrations ORDER BY sequence`,
	);
	return rows.map((row) => ({
		version: row.version,
		name: row.name,
		type: row.type,
		checksum: row.checksum,
		dependsOn: row.depends_on,
		state: row.state,
		sequence: Number(row.sequence),
		statementsDone: row.statements_done,
		statementSent: row.statement_sent,
		...(row.irreversible !== null && { irreversible: row.irreversible }),
		appliedAt: row.applied_at,
		appliedBy: row.applied_by,
		durationMs: Number(row.duration_ms),
		deploymentId: Number(row.deployment_id),
	}));
}

async function queryRecords(client: ClientBase, sql: string) {
	try {
		return (await client.query(sql)).rows;
	} catch (error) {
		if (error instanceof DatabaseError && error.code === NO_SUCH_TABLE) return [];
		throw error;
	}
}

/** What a record keeps of the file, so that it can be undone when the file is gone. */
export interface StoredSections {
	version: string;
	up: Section;
	down?: Section;
}

/** The stored SQL of some records. Lines count from the beginning of each stored section. */
export async function readStoredSections(
	client: ClientBase,
	versions: string[],
): Promise<Map<string, StoredSections>> {
	const { rows } = await client.query(
		`SELECT version, up_sql, up_transaction, down_sql, down_transaction
		FROM deployment.schema_migrations WHERE version = ANY ($1::text[])`,
		[versions],
	);
	return new Map(
		rows.map((row) => [
			row.version,
			{
				version: row.version,
				up: { sql: row.up_sql, transaction: row.up_transaction, line: 1 },
				...(row.down_sql !== null && {
					down: { sql: row.down_sql, transaction: row.down_transaction, line: 1 },
				}),
			},
		]),
	);
}

/** Writes the record of a migration. Returns when that was, by the server's clock. */
export async function insertRecord(
	client: ClientBase,
	migration: Migration,
	record: { state: RecordState; appliedBy: string; durationMs: number; deploymentId: number },
): Promise<Date> {
	const { rows } = await client.query(
		`INSERT INTO deployment.schema_migrations (version, name, type, checksum, depends_on, up_sql, up_transaction,
			down_sql, down_transaction, irreversible, state, applied_by, duration_ms, deployment_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING applied_at`,
		[
			migration.version,
			migration.name,
			migration.type,
			migration.checksum,
			migration.dependsOn,
			migration.up.sql,
			migration.up.transaction,
			migration.down?.sql ?? null,
			migration.down?.transaction ?? null,
			migration.irreversible ?? null,
			record.state,
			record.appliedBy,
			record.durationMs,
			record.deploymentId,
		],
	);
	return rows[0].applied_at;
}

/** Hands the record of an interrupted migration over to the deployment that goes on with it. */
export async function adoptRecord(
	client: ClientBase,
	version: string,
	{ appliedBy, deploymentId }: { appliedBy: string; deploymentId: number },
): Promise<void> {
	await client.query(
		"UPDATE deployment.schema_migrations SET applied_by = $2, deployment_id = $3 WHERE version = $1",
		[version, appliedBy, deploymentId],
	);
}

/** Counts the statements that are done; `sent` says that the next one is on its way. */
export async function countStatements(
	client: ClientBase,
	version: string,
	state: RecordState,
	done: number,
	sent: boolean,
): Promise<void> {
	await client.query(
		`UPDATE deployment.schema_migrations SET state = $2, statements_done = $3, statement_sent = $4
		WHERE version = $1`,
		[version, state, done, sent],
	);
}

/** Completes the record of a `transaction:false` migration. Returns when that was, by the server's clock. */
export async function completeRecord(client: ClientBase, version: string, durationMs: number): Promise<Date> {
	const { rows } = await client.query(
		`UPDATE deployment.schema_migrations
		SET state = 'applied', statement_sent = false, applied_at = clock_timestamp(), duration_ms = $2
		WHERE version = $1 RETURNING applied_at`,
		[version, durationMs],
	);
	return rows[0].applied_at;
}

/** Removes the record of a migration that is undone. */
export async function deleteRecord(client: ClientBase, version: string): Promise<void> {
	await client.query("DELETE FROM deployment.schema_migrations WHERE version = $1", [version]);
}

/**
 * Writes the digest of all records, or null when one of them stands between two states. Everything that the run
 * committed before, with `synchronous_commit = off`, is durable afterwards, since the log is written in order.
 */
export async function settleRecords(client: ClientBase, digest: string | null): Promise<void> {
	await client.query("SET synchronous_commit = on");
	await client.query("UPDATE deployment.schema_state SET digest = $1, settled_at = clock_timestamp()", [
		digest,
	]);
}
