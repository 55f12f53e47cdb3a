import type { ClientBase } from "pg";
import {
	announceMigrations,
	type CatalogMigrationState,
	type MigrationStep,
	migrationStates,
	withdrawMigrations,
	writeSteps,
} from "../catalog/migrations";
import type { AppliedMigration } from "./migration";
import { readStoredSections } from "./records";

/**
 * Makes the catalog say what the target's records say, where a run was interrupted between the two or the records were
 * changed by other means. Returns the catalog's ids of the migrations that it has, by version.
 */
export async function reconcileCatalog(
	catalog: ClientBase,
	target: ClientBase,
	targetName: string,
	deploymentId: number,
	records: AppliedMigration[],
): Promise<Map<string, number>> {
	const states = new Map((await migrationStates(catalog, targetName)).map((state) => [state.version, state]));
	const unknown = records.filter((record) => states.get(record.version)?.checksum !== record.checksum);
	const ids = new Map([...states.values()].map(({ version, id }) => [version, id]));
	for (const [version, id] of await copyToCatalog(catalog, target, targetName, unknown)) ids.set(version, id);

	const recorded = new Map(records.map((record) => [record.version, record]));
	const steps: MigrationStep[] = [];
	for (const record of records) {
		const state = unknown.includes(record) ? undefined : states.get(record.version);
		const migration = stateOf(record);
		if (state?.status === migration.status && state.isApplied === migration.isApplied) continue;
		steps.push(correction(ids.get(record.version)!, deploymentId, migration));
	}
	const gone = [...states.values()].filter((state) => !recorded.has(state.version));
	for (const state of gone) {
		const status = statusOfGone(state);
		if (status !== state.status || state.isApplied) {
			steps.push(correction(state.id, deploymentId, { status, isApplied: false }));
		}
	}
	if (steps.length > 0) await writeSteps(catalog, steps);
	const neverBegun = gone.filter((state) => state.status === "pending" && !state.hasHistory);
	if (neverBegun.length > 0)
		await withdrawMigrations(
			catalog,
			neverBegun.map(({ id }) => id),
		);
	return ids;
}

async function copyToCatalog(
	catalog: ClientBase,
	target: ClientBase,
	targetName: string,
	records: AppliedMigration[],
): Promise<Map<string, number>> {
	if (records.length === 0) return new Map();
	const sections = await readStoredSections(
		target,
		records.map(({ version }) => version),
	);
	return announceMigrations(
		catalog,
		targetName,
		records.map(({ version, name, type, dependsOn, checksum }) => ({
			version,
			name,
			type,
			dependsOn,
			checksum,
			sql: sections.get(version)!.up.sql,
			rollbackSql: sections.get(version)!.down?.sql ?? null,
		})),
	);
}

const INTERRUPTED = "interrupted between two of its statements";

function stateOf(record: AppliedMigration): MigrationStep["migration"] & { error?: string } {
	const { appliedAt, appliedBy, durationMs } = record;
	if (record.state === "applied")
		return { status: "completed", isApplied: true, appliedAt, appliedBy, durationMs };
	if (record.state === "running") return { status: "failed", isApplied: false, error: INTERRUPTED };
	return { status: "failed", isApplied: true, appliedAt, appliedBy, durationMs, error: INTERRUPTED };
}

/** What became of a migration that the target has no record of. */
function statusOfGone(state: CatalogMigrationState): MigrationStep["migration"]["status"] {
	if (state.isApplied) return "rolled_back";
	if (state.status === "running") return "failed";
	return state.status === "pending" && state.hasHistory ? "rolled_back" : state.status;
}

function correction(
	migrationId: number,
	deploymentId: number,
	{ error, ...migration }: MigrationStep["migration"] & { error?: string },
): MigrationStep {
	const interrupted =
		error ?? (migration.status === "failed" ? "interrupted before it was committed" : undefined);
	return {
		migrationId,
		deploymentId,
		step: "migration_reconcile",
		stepStatus: interrupted === undefined ? "completed" : "failed",
		at: new Date(),
		output: "copied from the records of the target database",
		...(interrupted !== undefined && { error: interrupted }),
		migration,
	};
}
