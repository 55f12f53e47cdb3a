import { announceMigrations } from "../catalog/migrations";
import { applyMigration } from "./apply";
import { digestOf } from "./digest";
import { MigrationError, MigrationPlanError } from "./error";
import { type AppliedMigration, highestVersion, type Migration } from "./migration";
import type { MigrateOptions, MigrationReport, UndoOptions } from "./options";
import { planMigrations, titleOf } from "./plan";
import { readRecords } from "./records";
import { rollBack, undoEach, whyIrreversible } from "./roll-back";
import {
	beginWork,
	closeRun,
	continueWork,
	openRun,
	type Run,
	readDigests,
	settleWork,
	tell,
	withPatience,
} from "./run-state";
import type { TargetSession } from "./session";
import { verifyMigrations } from "./statements";

/**
 * Brings a database to exactly the wanted migrations: undoes what is no longer wanted, newest first, then applies what
 * is missing. When a migration fails, those that this call applied are undone again, if all of them can be. With
 * nothing to do it compares one row of the target and one of the catalog.
 *
 * @throws MigrationPlanError or MigrationFilesError before anything runs
 * @throws MigrationError naming the file, line and statement that failed, and what became of the others
 * @throws RunLockError when another run holds the database
 * @throws DatabaseUnavailableError
 */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
	return reporting(options, async (run) => {
		const wantedDigest = digestOf(options.wanted);
		const digests = await readDigests(run);
		if (digests.every((digest) => digest === wantedDigest)) return;

		const { session, records } = await beginWork(run);
		const plan = planMigrations(records, options.wanted, options.settings.allowOutOfOrder);
		if (plan.problems.length > 0) throw new MigrationPlanError(plan.problems);
		await verifyMigrations(plan.apply);
		await undoEach(run, session, plan.undo);
		try {
			await applyEach(run, session, plan.apply, options.appliedBy, records);
		} catch (error) {
			if (error instanceof MigrationError) await afterFailure(run, session, error, options.wanted);
			throw error;
		}
		await settleWork(run);
	});
}

/**
 * Undoes what a deployment applied to a database, newest first, for the case that the deployment fails later. A
 * deployment that applied nothing leaves no trace.
 *
 * @throws MigrationPlanError when something of it cannot be undone; then nothing is
 * @throws MigrationError when undoing fails
 */
export async function undoDeployment(options: UndoOptions): Promise<MigrationReport> {
	return reporting(options, async (run) => {
		const isOfDeployment = (record: AppliedMigration) => record.deploymentId === options.deploymentId;
		if (!(await readRecords(run.target)).some(isOfDeployment)) return;

		const { session, records } = await beginWork(run);
		const undo = records.filter(isOfDeployment).reverse();
		const remaining = records.filter((record) => !isOfDeployment(record));
		const why = whyIrreversible(undo) ?? whyNeeded(undo, remaining);
		if (why !== undefined)
			throw new MigrationPlanError([`${why}; so nothing of deployment ${options.deploymentId} is undone`]);
		const previousVersion = highestVersion(records.map(({ version }) => version));
		await rollBack(run, session, undo, remaining, {
			type: options.type,
			reason: options.reason,
			...(previousVersion !== undefined && { previousVersion }),
		});
		await settleWork(run);
	});
}

function whyNeeded(undo: AppliedMigration[], remaining: AppliedMigration[]): string | undefined {
	const oldest = Math.min(...undo.map(({ sequence }) => sequence));
	const later = remaining.find(({ sequence }) => sequence > oldest);
	return later && `${titleOf(later)} was applied later by deployment ${later.deploymentId}`;
}

async function reporting(
	options: MigrateOptions | UndoOptions,
	work: (run: Run) => Promise<void>,
): Promise<MigrationReport> {
	const started = performance.now();
	const run = await openRun(options);
	try {
		await work(run);
	} finally {
		await closeRun(run);
	}
	const { applied, undone, backups } = run;
	return { applied, undone, backups, durationMs: Math.round(performance.now() - started) };
}

async function applyEach(
	run: Run,
	session: TargetSession,
	migrations: Migration[],
	appliedBy: string,
	records: AppliedMigration[],
): Promise<void> {
	const { targetName, deploymentId, log } = run.options;
	const interrupted = new Map(
		records
			.filter(({ state, version }) => state === "running" && !run.undone.includes(version))
			.map((record) => [record.version, record]),
	);
	await announce(run, targetName, migrations);
	for (const migration of migrations) {
		const { version } = migration;
		tell(run, version, {
			step: "migration_start",
			stepStatus: "started",
			migration: { status: "running", isApplied: false },
		});
		const started = performance.now();
		try {
			const { at, durationMs } = await withPatience(log, `applying ${titleOf(migration)}`, () =>
				applyMigration(session, migration, { appliedBy, deploymentId }, interrupted.get(version)),
			);
			run.applied.push(version);
			log(`applied ${titleOf(migration)} in ${durationMs} ms`);
			tell(run, version, {
				step: "migration_complete",
				stepStatus: "completed",
				durationMs,
				migration: { status: "completed", isApplied: true, appliedAt: at, appliedBy, durationMs },
			});
		} catch (error) {
			if (!(error instanceof MigrationError)) throw error;
			const durationMs = Math.round(performance.now() - started);
			tell(run, version, {
				step: "migration_failed",
				stepStatus: "failed",
				durationMs,
				error: error.message,
				migration: { status: "failed", isApplied: false, durationMs },
			});
			await run.progress.settle(null);
			throw error;
		}
	}
}

async function announce(run: Run, targetName: string, migrations: Migration[]): Promise<void> {
	if (migrations.length === 0) return;
	const announced = await announceMigrations(
		run.catalog,
		targetName,
		migrations.map(({ version, name, type, dependsOn, checksum, up, down }) => ({
			version,
			name,
			type,
			dependsOn,
			checksum,
			sql: up.sql,
			rollbackSql: down?.sql ?? null,
		})),
	);
	for (const [version, id] of announced) run.ids.set(version, id);
}

/** Undoes what the run has applied before a migration failed, and adds to the error what became of it. */
async function afterFailure(
	run: Run,
	session: TargetSession,
	error: MigrationError,
	wanted: Migration[],
): Promise<void> {
	const attempted = new Set([...run.applied, error.migration.version]);
	try {
		const working = await continueWork(run, session);
		const records = await readRecords(run.target);
		const undo = records.filter(({ version }) => attempted.has(version)).reverse();
		error.left = undo.map(({ version }) => version);
		if (undo.length > 0) {
			const why = whyIrreversible(undo);
			if (why === undefined) {
				const undoneBefore = run.undone.length;
				const previousVersion = highestVersion(wanted.map(({ version }) => version));
				const remaining = records.filter(({ version }) => !attempted.has(version));
				try {
					await rollBack(run, working, undo, remaining, {
						type: "automatic",
						reason: error.message.split("\n")[0]!,
						...(previousVersion !== undefined && { previousVersion }),
					});
				} finally {
					error.undone = run.undone.slice(undoneBefore);
					error.left = error.left.filter((version) => !error.undone.includes(version));
				}
				error.addNote(`automatic rollback: undid ${error.undone.join(", ")}, which this run had applied`);
			} else {
				error.addNote(`${error.left.join(", ")} of this run stay as they are: ${why}`);
			}
		}
		await settleWork(run);
	} catch (failure) {
		const why = failure instanceof Error ? failure.message : String(failure);
		error.addNote(`the automatic rollback failed: ${why}`);
		if (error.left.length > 0) error.addNote(`${error.left.join(", ")} of this run stay applied`);
	}
}
