import { setTimeout as sleep } from "node:timers/promises";
import { linkState, withLink } from "../replication/link-state";
import { nodeName } from "../replication/node";
import type { Pairing } from "../replication/pairings";
import { checkEndpoints } from "./api-endpoints";
import { checkMigrations } from "./applied-migrations";
import type { CheckName, CheckResult } from "./check-result";
import { checkConnections } from "./connection-use";
import { checkConnectivity } from "./database-connectivity";
import { checkReplication, type FoundLink } from "./replication-lag";
import { checkPerformance, type StatementSnapshot, snapshotStatements } from "./statement-times";
import type { HealthSubject } from "./subject";

export interface Examination {
	subject: HealthSubject;
	/** Where the service is asked: its own address, or the public one. */
	url: string;
	/** The release that has to answer there. */
	release: string;
	/** When the service began, with what its statements had taken until then; else the beginning of the checks. */
	since?: StatementSnapshot;
	/** For how long to go on counting statements, in milliseconds. */
	observeMs?: number;
	/** The links that are to be looked at; undefined where replication is no part of it. */
	links?(): Promise<Pairing[] | undefined>;
}

/** Runs every check once. Changes nothing; a check that cannot be made has failed. */
export async function runChecks(examination: Examination): Promise<CheckResult[]> {
	const { subject, since } = examination;
	const { application, statistics, owner, migrations, limits } = subject;
	const connections = { role: application.user, ...(since && { since: since.takenAt }) };
	const found = await Promise.all([
		answered("database_connectivity", () => checkConnectivity(application, limits)),
		askService(examination),
		askLinks(examination),
		answered("connections", () => checkConnections(statistics, connections, limits)),
		answered("migrations", () => checkMigrations(owner, migrations)),
	]);
	return found.flat();
}

/** The endpoints, and then what the statements have taken, those of that asking among them. */
async function askService(examination: Examination): Promise<CheckResult[]> {
	const { subject, url, release, since, observeMs = 0 } = examination;
	const { statistics, application, paths, limits } = subject;
	const of = { database: application.database, role: application.user };
	// Where the counters cannot be read, the second attempt tells why.
	const before = since ?? (await snapshotStatements(statistics, of).catch(() => undefined));
	const endpoints = await answered("api_endpoints", () => checkEndpoints({ url, release, paths }, limits));
	await sleep(observeMs);
	const performance = await answered("performance", async () =>
		checkPerformance(before, await snapshotStatements(statistics, of), limits),
	);
	return [endpoints, performance];
}

async function askLinks({ subject, links }: Examination): Promise<CheckResult[]> {
	let isPart = true;
	const result = await answered("replication_lag", async () => {
		const pairings = await links?.();
		isPart = pairings !== undefined;
		return checkReplication(await findLinks(pairings ?? []), subject.limits);
	});
	return isPart ? [result] : [];
}

function findLinks(pairings: readonly Pairing[]): Promise<FoundLink[]> {
	return Promise.all(
		pairings.map(async ({ from, to }) => ({
			title: `${nodeName(to)} follows ${nodeName(from)}`,
			state: await withLink(from, to, linkState),
		})),
	);
}

async function answered(check: CheckName, ask: () => Promise<CheckResult>): Promise<CheckResult> {
	try {
		return await ask();
	} catch (error) {
		return { check, status: "FAIL", detail: error instanceof Error ? error.message : String(error) };
	}
}
