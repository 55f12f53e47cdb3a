import { MigrationError } from "./error";
import { repairIndexes } from "./interrupted-index";
import type { AppliedMigration, Migration } from "./migration";
import { titleOf } from "./plan";
import { adoptRecord, completeRecord, countStatements, insertRecord } from "./records";
import { inTransaction, send, type TargetSession, withLockRetries } from "./session";
import { type Statement, statementsOf } from "./statements";
import { mayCommit, notInTransaction, waitsHarmlessly } from "./transaction-rules";

export interface Application {
	appliedBy: string;
	deploymentId: number;
}

export interface Applied {
	/** By the server's clock. */
	at: Date;
	durationMs: number;
}

/**
 * Applies one migration and records it in the target.
 *
 * @param interrupted the record of an earlier run that stopped between two statements of the same file
 * @throws MigrationError
 */
export async function applyMigration(
	session: TargetSession,
	migration: Migration,
	application: Application,
	interrupted?: AppliedMigration,
): Promise<Applied> {
	const statements = await statementsOf(migration.up);
	try {
		return migration.up.transaction
			? await applyAtOnce(session, migration, statements, application)
			: await applyStepwise(session, migration, statements, application, interrupted);
	} catch (error) {
		throw new MigrationError(migration, "up", migration.up, migration.path, error);
	}
}

/** All statements and the record in one transaction. */
async function applyAtOnce(
	session: TargetSession,
	migration: Migration,
	statements: Statement[],
	{ appliedBy, deploymentId }: Application,
): Promise<Applied> {
	return withLockRetries(session, titleOf(migration), () => {
		const started = performance.now();
		return inTransaction(session, async () => {
			for (const [index, statement] of statements.entries()) {
				await send(session, statement, {
					before: index === 0 ? "BEGIN; " : "",
					// The record must be written as the owner, and a deferred constraint fails here, where it has a place.
					after: index === statements.length - 1 ? `\n; SET CONSTRAINTS ALL IMMEDIATE; ${session.clean}` : "",
				});
			}
			const durationMs = Math.round(performance.now() - started);
			const record = { state: "applied", appliedBy, durationMs, deploymentId } as const;
			return { at: await insertRecord(session.client, migration, record), durationMs };
		});
	});
}

/** Statement by statement, counting in the record what is done. */
async function applyStepwise(
	session: TargetSession,
	migration: Migration,
	statements: Statement[],
	application: Application,
	interrupted: AppliedMigration | undefined,
): Promise<Applied> {
	const started = performance.now();
	if (interrupted) await adoptRecord(session.client, migration.version, application);
	else await insertRecord(session.client, migration, { state: "running", durationMs: 0, ...application });
	await runStepwise(session, titleOf(migration), statements, {
		done: interrupted?.statementsDone ?? 0,
		sent: interrupted?.statementSent ?? false,
		count: (done, sent) => countStatements(session.client, migration.version, "running", done, sent),
	});
	await session.client.query(session.clean);
	const durationMs = Math.round(performance.now() - started) + (interrupted?.durationMs ?? 0);
	return { at: await completeRecord(session.client, migration.version, durationMs), durationMs };
}

export interface Steps {
	/** Statements that are done for certain. */
	done: number;
	/** Whether the statement after those was under way when an earlier run was interrupted. */
	sent: boolean;
	/** Writes both of these down. */
	count(done: number, sent: boolean): Promise<void>;
	/** Called in the transaction of each statement that has one, before it. */
	prepare?(statement: Statement): Promise<void>;
	/** Whether a statement that failed like this counts as done. */
	passOver?(error: unknown): boolean;
}

/**
 * Runs the statements of a `transaction:false` section. Those that can, run in a transaction together with their count;
 * of the others it is written down beforehand that they are sent.
 */
export async function runStepwise(
	session: TargetSession,
	what: string,
	statements: Statement[],
	steps: Steps,
): Promise<void> {
	const ownLockTimeout = statements.some(({ node }) => settingOf(node) === "lock_timeout");
	for (const [index, statement] of statements.entries()) {
		const setting = settingOf(statement.node);
		if (index < steps.done) {
			if (setting !== undefined) await send(session, statement);
			continue;
		}
		try {
			await withLockRetries(session, what, () =>
				notInTransaction(statement.node) === undefined && !mayCommit(statement.node)
					? runCounted(session, statement, index, steps, ownLockTimeout)
					: runAnnounced(session, statement, index, steps, ownLockTimeout),
			);
		} catch (error) {
			if (!steps.passOver?.(error)) throw error;
			await steps.count(index + 1, false);
		}
	}
}

async function runCounted(
	session: TargetSession,
	statement: Statement,
	index: number,
	steps: Steps,
	ownLockTimeout: boolean,
): Promise<void> {
	const { client, settings } = session;
	await inTransaction(session, async () => {
		await client.query(
			ownLockTimeout ? "BEGIN" : `BEGIN; SET LOCAL lock_timeout = ${settings.lockTimeoutMs}`,
		);
		await steps.prepare?.(statement);
		await send(session, statement);
		await steps.count(index + 1, false);
	});
}

async function runAnnounced(
	session: TargetSession,
	statement: Statement,
	index: number,
	steps: Steps,
	ownLockTimeout: boolean,
): Promise<void> {
	const { client, settings } = session;
	const wasSent = index === steps.done && steps.sent;
	if (!(await repairIndexes(session, statement.node, wasSent))) {
		if (!ownLockTimeout) {
			await client.query(
				`SET lock_timeout = ${waitsHarmlessly(statement.node) ? 0 : settings.lockTimeoutMs}`,
			);
		}
		await steps.count(index, true);
		try {
			await send(session, statement);
		} catch (error) {
			// It failed, it was not interrupted. On a lost connection this cannot be written down, and the doubt remains.
			await steps.count(index, false).catch(() => {});
			throw error;
		}
	}
	await steps.count(index + 1, false);
}

/** The name of the setting that a statement changes for the rest of the session. */
function settingOf(node: Statement["node"]): string | undefined {
	return "VariableSetStmt" in node && !node.VariableSetStmt.is_local ? node.VariableSetStmt.name : undefined;
}
