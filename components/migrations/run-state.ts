import type { Client } from "pg";
import { catalogDigest, type MigrationStep } from "../catalog/migrations";
import { digestOfRecords } from "./digest";
import type { AppliedMigration } from "./migration";
import type { Backup, RunOptions } from "./options";
import { Progress } from "./progress";
import { reconcileCatalog } from "./reconcile";
import { ensureRecords, readRecords, settleRecords, targetDigest } from "./records";
import { beginSession, openDatabase, type TargetSession } from "./session";

/** A run on one target database, from its two connections to what it has done so far. */
export interface Run {
	readonly options: RunOptions;
	target: Client;
	readonly catalog: Client;
	readonly progress: Progress;
	/** The catalog's ids of migrations, by version. */
	readonly ids: Map<string, number>;
	readonly applied: string[];
	readonly undone: string[];
	readonly backups: Backup[];
}

/**
 * Connects a run to its target and its catalog.
 *
 * @throws DatabaseUnavailableError
 */
export async function openRun(options: RunOptions): Promise<Run> {
	const name = applicationName(options);
	const [target, catalog] = await Promise.allSettled([
		openDatabase(options.target, name, options.settings.statementTimeoutMs),
		openDatabase(options.catalog, name),
	]);
	if (target.status === "fulfilled" && catalog.status === "fulfilled") {
		return {
			options,
			target: target.value,
			catalog: catalog.value,
			progress: new Progress(catalog.value, options.targetName),
			ids: new Map(),
			applied: [],
			undone: [],
			backups: [],
		};
	}
	if (target.status === "fulfilled") await target.value.end();
	if (catalog.status === "fulfilled") await catalog.value.end();
	throw target.status === "rejected" ? target.reason : (catalog as PromiseRejectedResult).reason;
}

/** Ends the connections, and with them the run's lock. */
export async function closeRun({ target, catalog }: Run): Promise<void> {
	await Promise.all([target.end(), catalog.end()]);
}

/** The digests of the target's records and of what the catalog has copied of them. */
export async function readDigests(run: Run): Promise<(string | undefined)[]> {
	return Promise.all([targetDigest(run.target), catalogDigest(run.catalog, run.options.targetName)]);
}

/**
 * Begins to work: takes the target's lock, makes its records when there are none, and makes the catalog equal to them.
 *
 * @throws RunLockError
 */
export async function beginWork(run: Run): Promise<{ session: TargetSession; records: AppliedMigration[] }> {
	const { target, catalog, options, progress, ids } = run;
	const session = await beginSession(target, options.settings, options.log);
	await ensureRecords(target);
	const records = await readRecords(target);
	await progress.settle(null);
	await catalog.query("SET synchronous_commit = off");
	const known = await reconcileCatalog(catalog, target, options.targetName, options.deploymentId, records);
	for (const [version, id] of known) ids.set(version, id);
	return { session, records };
}

/** Goes on with a new connection when the one to the target was lost. */
export async function continueWork(run: Run, session: TargetSession): Promise<TargetSession> {
	try {
		await run.target.query(session.clean);
		return session;
	} catch {
		const lost = run.target;
		run.target = await openDatabase(
			run.options.target,
			applicationName(run.options),
			run.options.settings.statementTimeoutMs,
		);
		await lost.end().catch(() => {});
		return beginSession(run.target, run.options.settings, run.options.log);
	}
}

/** Ends the work: what both sides say is durable, and equal. */
export async function settleWork(run: Run): Promise<void> {
	const digest = digestOfRecords(await readRecords(run.target)) ?? null;
	await settleRecords(run.target, digest);
	await run.progress.settle(digest);
}

/** Tells the catalog of a step on a migration. */
export function tell(
	run: Run,
	version: string,
	step: Omit<MigrationStep, "migrationId" | "deploymentId" | "at">,
): void {
	const migrationId = run.ids.get(version);
	if (migrationId === undefined)
		throw new Error(`the catalog was not told of migration ${version} beforehand`);
	run.progress.write({ migrationId, deploymentId: run.options.deploymentId, at: new Date(), ...step });
}

const FIRST_WORD_MS = 2_000;
const NEXT_WORD_MS = 10_000;

/** Says every now and then that something which takes long is still under way. */
export async function withPatience<T>(
	log: (line: string) => void,
	what: string,
	work: () => Promise<T>,
): Promise<T> {
	const started = performance.now();
	let timer: NodeJS.Timeout;
	const speak = () => {
		log(`${what}: under way for ${Math.round((performance.now() - started) / 1000)} s`);
		timer = setTimeout(speak, NEXT_WORD_MS);
	};
	timer = setTimeout(speak, FIRST_WORD_MS);
	try {
		return await work();
	} finally {
		clearTimeout(timer);
	}
}

function applicationName({ deploymentId }: RunOptions): string {
	return `migrations of deployment ${deploymentId}`;
}
