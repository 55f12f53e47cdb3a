import { runStepwise } from "./apply";
import { removeBackups, saveRows } from "./backup";
import { MigrationError, serverError } from "./error";
import { repairIndexes } from "./interrupted-index";
import type { AppliedMigration } from "./migration";
import type { Backup } from "./options";
import { neverBegan, titleOf } from "./plan";
import { countStatements, deleteRecord, type StoredSections } from "./records";
import { inTransaction, send, type TargetSession, withLockRetries } from "./session";
import { type Statement, statementsOf } from "./statements";

/** Codes with which PostgreSQL says that something is not there. */
const MISSING = new Set(["42P01", "42703", "42704", "42883", "3F000"]);

export interface Undone {
	backups: Backup[];
	durationMs: number;
}

/**
 * Undoes one migration with its stored SQL and removes its record, after saving the rows that this destroys. Of a
 * migration that stopped half-way, what is not there is passed over.
 *
 * @throws MigrationError
 */
export async function undoMigration(
	session: TargetSession,
	record: AppliedMigration,
	stored: StoredSections,
	backupDirectory: string,
): Promise<Undone> {
	const started = performance.now();
	const section = stored.down ?? stored.up;
	try {
		if (record.state === "running") await clearInterrupted(session, record, await statementsOf(stored.up));
		const backups = neverBegan(record)
			? await forget(session, record)
			: await runDown(session, record, stored, backupDirectory);
		await session.client.query(session.clean);
		return { backups, durationMs: Math.round(performance.now() - started) };
	} catch (error) {
		throw new MigrationError(record, "down", section, undefined, error);
	}
}

/** Drops what an interrupted CONCURRENTLY of the up section has left. */
async function clearInterrupted(
	session: TargetSession,
	record: AppliedMigration,
	statements: Statement[],
): Promise<void> {
	const next = statements[record.statementsDone];
	if (next) await repairIndexes(session, next.node, record.statementSent);
	await session.client.query(session.clean);
}

async function forget({ client }: TargetSession, record: AppliedMigration): Promise<Backup[]> {
	await deleteRecord(client, record.version);
	return [];
}

async function runDown(
	session: TargetSession,
	record: AppliedMigration,
	{ down }: StoredSections,
	backupDirectory: string,
): Promise<Backup[]> {
	if (!down) throw new Error(`it cannot be undone (${record.irreversible})`);
	const statements = await statementsOf(down);
	return down.transaction
		? undoAtOnce(session, record, statements, backupDirectory)
		: undoStepwise(session, record, statements, backupDirectory);
}

async function undoAtOnce(
	session: TargetSession,
	record: AppliedMigration,
	statements: Statement[],
	backupDirectory: string,
): Promise<Backup[]> {
	const { client } = session;
	return withLockRetries(session, `undoing ${titleOf(record)}`, async () => {
		let backups: Backup[] = [];
		try {
			await inTransaction(session, async () => {
				await client.query("BEGIN");
				backups = await saveRows(session, record, statements, backupDirectory);
				for (const statement of statements) {
					await (record.state === "running" ? sendIfThere(session, statement) : send(session, statement));
				}
				await client.query(`SET CONSTRAINTS ALL IMMEDIATE; ${session.clean}`);
				await deleteRecord(client, record.version);
			});
			return backups;
		} catch (error) {
			// On a lost connection the transaction may have been committed, and the files may be all that is left.
			if (refusedByServer(error)) removeBackups(backups);
			throw error;
		}
	});
}

/** Of a half-applied migration, what is not there needs no undoing. */
async function sendIfThere(session: TargetSession, statement: Statement): Promise<void> {
	await session.client.query("SAVEPOINT undo_statement");
	try {
		await send(session, statement);
	} catch (error) {
		if (!MISSING.has(serverError(error)?.code ?? "")) throw error;
		await session.client.query("ROLLBACK TO SAVEPOINT undo_statement");
	}
}

async function undoStepwise(
	session: TargetSession,
	record: AppliedMigration,
	statements: Statement[],
	backupDirectory: string,
): Promise<Backup[]> {
	const resumed = record.state === "undoing";
	const backups: Backup[] = [];
	if (!resumed) await countStatements(session.client, record.version, "undoing", 0, false);
	await runStepwise(session, `undoing ${titleOf(record)}`, statements, {
		done: resumed ? record.statementsDone : 0,
		sent: resumed && record.statementSent,
		count: (done, sent) => countStatements(session.client, record.version, "undoing", done, sent),
		passOver: (error) => record.state !== "applied" && MISSING.has(serverError(error)?.code ?? ""),
		prepare: async (statement) => {
			backups.push(...(await saveRows(session, record, [statement], backupDirectory)));
		},
	});
	await session.client.query(session.clean);
	await deleteRecord(session.client, record.version);
	return backups;
}

function refusedByServer(error: unknown): boolean {
	const code = serverError(error)?.code;
	return code !== undefined && !code.startsWith("08") && !code.startsWith("57P");
}
