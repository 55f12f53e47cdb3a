import type { Client } from "pg";
import type { Connection } from "../database/connection";
import { MigrationPlanError } from "../migrations/error";
import type { Migration } from "../migrations/migration";
import type { MigrationSettings } from "../migrations/options";
import { readRecords, readStoredSections } from "../migrations/records";
import { migrate } from "../migrations/run";
import { isUpToDate } from "../migrations/status";
import { fenceState, installFence } from "../traffic/write-fence";
import { copyData } from "./copy";
import { putIndexesBack } from "./deferred-indexes";
import { freeDisk } from "./disk";
import { describeSchema, schemaDifferences } from "./drift";
import { describeFindings, type Finding, PreflightError } from "./finding";
import { commonTables, createPublication, dropLink, publishes, startSubscription } from "./link";
import { catchUp, type LinkEnds, linkState, withLink } from "./link-state";
import { assertSchemaUnchanged, noteLinkedSchema } from "./linked-schema";
import { linkName, type Node, nodeName } from "./node";
import { plannedSections } from "./planned-sections";
import { preflight } from "./preflight";
import { identifyRows, restoreIdentities } from "./replica-identity";
import { replicatedTables } from "./tables";
import { leaveOut } from "./unwritten";

export interface InStepOptions {
	/** The live colour. */
	source: Node;
	/** The idle one. */
	target: Node;
	/** The idle colour's database as its owner, for the schema. */
	targetOwner: Connection;
	/** The release's migrations, no more and no fewer: what they do to the live schema is looked at beforehand. */
	wanted: readonly Migration[];
	catalog: Connection;
	deploymentId: number;
	appliedBy: string;
	backupDirectory: string;
	migrations: MigrationSettings;
	/** Parallel streams. */
	workers: number;
	verification: "checksums" | "counts";
	copyTimeoutMs: number;
	slotTimeoutMs: number;
	catchUpTimeoutMs: number;
	maxLagBytes: number;
	log(line: string): void;
	/** Told the name of each step before it begins. */
	step?(name: string): Promise<void>;
}

/** What it may take to put the fence, or an identity, on every table, in milliseconds. */
const TABLES_TIMEOUT_MS = 60_000;

/**
 * Gives the idle colour the schema and the rows of the live one and keeps it in step from then on, while the live one
 * goes on being written. One that is in step already keeps its rows, but what is still to run on it is looked at as for
 * a new one; an interrupted attempt is begun anew.
 *
 * @returns whether there was anything to copy
 * @throws PreflightError with everything that stands against it, before anything is copied
 */
export async function putInStep(options: InStepOptions): Promise<boolean> {
	const { source, target, log } = options;
	return withLink(source, target, async (ends) => {
		if ((await isInStep(ends)) && (await isFitForMore(ends, options))) {
			return false;
		}
		const step = async (name: string) => options.step?.(name);
		await step("clear");
		await dropLink(source, target);
		await dropLink(target, source);
		await putIndexesBack(target, TABLES_TIMEOUT_MS);
		await step("schema");
		await installFence(ends.from.client, source.owner, TABLES_TIMEOUT_MS);
		await replaySchema(ends, options);
		await step("preflight");
		await assertFit(ends, options);
		await installFence(ends.to.client, target.owner, TABLES_TIMEOUT_MS);
		try {
			await copyAndLink(ends, options, step);
		} catch (error) {
			await clearAway(ends, error, log);
			throw error;
		}
		return true;
	});
}

/** Whether a colour follows another and nothing keeps it from going on. A subscription comes only after a whole copy. */
export async function isInStep(ends: LinkEnds): Promise<boolean> {
	const [fence, state] = await Promise.all([fenceState(ends.to.client), linkState(ends)]);
	return fence !== undefined && state.fault === undefined;
}

/**
 * Sees to it that a colour which is in step stays so while it is brought to the wanted migrations, which may be others
 * than when it was copied: an update failed or died, and files were added or changed since.
 *
 * @returns false when its link does not carry what it has to for them: then it has to be copied anew
 * @throws PreflightError with everything that stands against them
 */
async function isFitForMore(ends: LinkEnds, options: InStepOptions): Promise<boolean> {
	const { from, to } = ends;
	const { source, target, wanted, log } = options;
	const isDone = await isUpToDate(options.targetOwner, wanted);
	await assertSchemaUnchanged(ends);
	const work = await plannedSections(from.client, wanted);
	if (!isDone) {
		assertNoErrors(
			await preflight({
				source: from.client,
				target: to.client,
				...work,
				copying: false,
				copyRole: source.replication.user,
			}),
			log,
		);
	}
	const written = await leaveOut(from.client, await replicatedTables(from.client), work.unwritten);
	if (!(await publishes(from.client, linkName(source, target), written.tables))) {
		log(
			`${nodeName(target)} is copied anew: its migrations say otherwise than before what is no longer written`,
		);
		return false;
	}
	if (!isDone) {
		// Of a release that had the traffic for a while: what a migration changes would be sent back, over newer writes.
		await dropLink(target, source);
		await restoreIdentities(to.client, TABLES_TIMEOUT_MS);
	}
	return true;
}

/** The live colour's migrations as they were applied there, on the idle one; those that it does not have are undone. */
async function replaySchema(ends: LinkEnds, options: InStepOptions): Promise<void> {
	const { source, target, targetOwner, catalog, deploymentId, appliedBy, backupDirectory, log } = options;
	await migrate({
		target: targetOwner,
		catalog,
		targetName: target.admin.database,
		wanted: await appliedMigrations(ends.from.client, source),
		deploymentId,
		appliedBy,
		settings: { ...options.migrations, allowOutOfOrder: true },
		backupDirectory,
		log,
	}).catch((error: unknown) => {
		if (error instanceof MigrationPlanError) {
			error.message +=
				`\n${nodeName(target)} cannot be copied anew as it is: set the release back to that of ${nodeName(source)} and ` +
				"run the update, which drops it, then raise the release again";
		}
		throw error;
	});
}

async function appliedMigrations(client: Client, source: Node): Promise<Migration[]> {
	const records = await readRecords(client);
	const half = records.find(({ state }) => state !== "applied");
	if (half !== undefined) {
		throw new Error(
			`migration ${half.version} ${half.name} is applied only in part on ${nodeName(source)}, the live colour: ` +
				"bring it to its end by an update that keeps the release",
		);
	}
	const stored = await readStoredSections(
		client,
		records.map(({ version }) => version),
	);
	return records.map(({ version, name, type, dependsOn, checksum, irreversible }) => ({
		version,
		name,
		type,
		dependsOn,
		checksum,
		...(irreversible !== undefined && { irreversible }),
		up: stored.get(version)!.up,
		...(stored.get(version)!.down && { down: stored.get(version)!.down }),
		path: `migration ${version} ${name} as it was applied on ${nodeName(source)}`,
	}));
}

async function assertFit(ends: LinkEnds, options: InStepOptions): Promise<void> {
	const { from, to } = ends;
	const [live, replayed] = await Promise.all([describeSchema(from.client), describeSchema(to.client)]);
	const drift = schemaDifferences(live, replayed).map(
		(difference): Finding => ({
			severity: "error",
			what: `the live schema is not what its migrations make: ${difference}`,
			mend: "bring the change in a migration, or take it back",
		}),
	);
	const findings = [
		...drift,
		...(await preflight({
			source: from.client,
			target: to.client,
			...(await plannedSections(from.client, options.wanted)),
			freeBytes: { source: await freeDisk(from.client), target: await freeDisk(to.client) },
			copying: true,
			copyRole: options.source.replication.user,
		})),
	];
	assertNoErrors(findings, options.log);
}

function assertNoErrors(findings: Finding[], log: (line: string) => void): void {
	if (findings.some(({ severity }) => severity === "error")) {
		throw new PreflightError(findings);
	}
	if (findings.length > 0) {
		log(describeFindings(findings));
	}
}

async function copyAndLink(
	ends: LinkEnds,
	options: InStepOptions,
	step: (name: string) => Promise<void>,
): Promise<void> {
	const { source, target, log } = options;
	const name = linkName(source, target);
	const tables = await replicatedTables(ends.from.client);
	await step("identities");
	await identifyRows(ends.from.client, tables, TABLES_TIMEOUT_MS);
	await step("publication");
	const { unwritten } = await plannedSections(ends.from.client, options.wanted);
	const written = await leaveOut(ends.from.client, tables, unwritten);
	await createPublication(
		ends.from.client,
		name,
		commonTables(written.tables, await replicatedTables(ends.to.client)),
	);
	const report = await copyData({
		source,
		target,
		slot: name,
		workers: options.workers,
		verification: options.verification,
		timeoutMs: options.copyTimeoutMs,
		slotTimeoutMs: options.slotTimeoutMs,
		log,
		step,
	});
	log(
		`copied ${report.rows} rows of ${report.tables} tables (${(report.bytes / 1e6).toFixed(1)} MB) ` +
			`from ${nodeName(source)} to ${nodeName(target)} in ${(report.durationMs / 1000).toFixed(1)} s`,
	);
	await step("subscription");
	await noteLinkedSchema(ends);
	await startSubscription(source, target);
	await step("catch up");
	await catchUp(ends, { maxLagBytes: options.maxLagBytes, timeoutMs: options.catchUpTimeoutMs }, log);
}

/** Takes away what a failed attempt has made on the live side: a slot that nobody reads from fills its disk. */
async function clearAway(
	{ from, to }: LinkEnds,
	failure: unknown,
	log: (line: string) => void,
): Promise<void> {
	try {
		await dropLink(from.node, to.node);
		await restoreIdentities(from.client, TABLES_TIMEOUT_MS);
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		log(`after ${failure instanceof Error ? failure.message : String(failure)}`);
		log(`the link ${linkName(from.node, to.node)} could not be taken away (${why}): the next update does it`);
	}
}
