import { finishRollback, type RollbackStep, type RollbackType, startRollback } from "../catalog/rollbacks";
import { MigrationError } from "./error";
import { type AppliedMigration, highestVersion } from "./migration";
import { neverBegan, titleOf } from "./plan";
import { readStoredSections } from "./records";
import { type Run, tell, withPatience } from "./run-state";
import type { TargetSession } from "./session";
import { undoMigration } from "./undo";

/** Undoes migrations in the order given, saying each step to the catalog and the log. */
export async function undoEach(run: Run, session: TargetSession, records: AppliedMigration[]): Promise<void> {
	if (records.length === 0) return;
	const stored = await readStoredSections(
		run.target,
		records.map(({ version }) => version),
	);
	for (const record of records) {
		const { version, appliedAt, appliedBy, durationMs } = record;
		const applied = { isApplied: true, appliedAt, appliedBy, durationMs };
		tell(run, version, {
			step: "rollback_start",
			stepStatus: "started",
			migration: { status: "running", ...applied },
		});
		const started = performance.now();
		try {
			const undone = await withPatience(run.options.log, `undoing ${titleOf(record)}`, () =>
				undoMigration(session, record, stored.get(version)!, run.options.backupDirectory),
			);
			const saved = undone.backups.map(
				({ table, file, rows }) => `${rows} ${rows === 1 ? "row" : "rows"} of ${table} saved in ${file}`,
			);
			run.undone.push(version);
			run.backups.push(...undone.backups);
			run.options.log([`undone ${titleOf(record)} in ${undone.durationMs} ms`, ...saved].join("; "));
			tell(run, version, {
				step: "rollback_complete",
				stepStatus: "completed",
				durationMs: undone.durationMs,
				...(saved.length > 0 && { output: saved.join("\n") }),
				migration: { status: "rolled_back", isApplied: false },
			});
		} catch (error) {
			if (!(error instanceof MigrationError)) throw error;
			tell(run, version, {
				step: "rollback_failed",
				stepStatus: "failed",
				durationMs: Math.round(performance.now() - started),
				error: error.message,
				migration: { status: "failed", ...applied },
			});
			await run.progress.settle(null);
			throw error;
		}
	}
}

export interface Rollback {
	type: RollbackType;
	reason: string;
	previousVersion?: string;
}

/** Why these records, newest first, cannot be undone; undefined when they can. */
export function whyIrreversible(records: AppliedMigration[]): string | undefined {
	const record = records.find((each) => each.irreversible !== undefined && !neverBegan(each));
	return record && `${titleOf(record)} cannot be undone (${record.irreversible})`;
}

/**
 * Undoes migrations and writes that down as a rollback, whether it succeeds or not.
 *
 * @param records newest first
 * @param remaining what stays applied
 */
export async function rollBack(
	run: Run,
	session: TargetSession,
	records: AppliedMigration[],
	remaining: AppliedMigration[],
	{ type, reason, previousVersion }: Rollback,
): Promise<void> {
	const { deploymentId, releases } = run.options;
	const previous = releases?.previous ?? previousVersion;
	const target = releases?.target ?? highestVersion(remaining.map(({ version }) => version));
	const id = await startRollback(run.catalog, {
		deploymentId,
		type,
		reason,
		...(previous !== undefined && { previousVersion: previous }),
		...(target !== undefined && { targetVersion: target }),
	});
	const steps: RollbackStep[] = [];
	try {
		for (const record of records) {
			const backupsBefore = run.backups.length;
			const started = performance.now();
			const step = `undo ${titleOf(record)}`;
			try {
				await undoEach(run, session, [record]);
			} catch (error) {
				steps.push({ step, status: "failed", durationMs: Math.round(performance.now() - started) });
				throw error;
			}
			const backups = run.backups.slice(backupsBefore).map(({ file }) => file);
			const durationMs = Math.round(performance.now() - started);
			steps.push({ step, status: "completed", durationMs, ...(backups.length > 0 && { backups }) });
		}
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		await finishRollback(run.catalog, id, { steps, error: why });
		throw error;
	}
	await finishRollback(run.catalog, id, { steps });
}
