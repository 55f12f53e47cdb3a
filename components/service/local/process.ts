import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { poll } from "../../local/deadline";
import { makeDirectory, readJsonFile, writeFileAtomically } from "../../local/files";
import { findFreePort, LOOPBACK } from "../../local/port";
import { type DetachedProcess, isRunning, lastLogLines, launch, logFile, stop } from "../../local/process";
import { serviceEnvironment, serviceSettingsSchema } from "../environment";

export const serviceSchema = serviceSettingsSchema.extend({
	/** Folder of the service's processes, from the project's folder. */
	directory: z.string(),
	/** The module to run, from the project's folder. */
	entry: z.string(),
});

export type ServiceOptions = z.infer<typeof serviceSchema>;

export interface ServiceProcess {
	/** Names the process, its log and its record. */
	instance: string;
	url: string;
}

export interface Deadlines {
	/** Seconds until a service that does not become ready is given up. */
	readyTimeoutSeconds: number;
	/** Seconds that a service has to finish its requests. */
	drainTimeoutSeconds: number;
}

const recordSchema = z.strictObject({ url: z.string() });

/**
 * Starts the service and waits until it is ready. Processes that interrupted updates left behind end before.
 *
 * @param inUse URLs that carry traffic; processes on them are left alone, all other ones are leftovers
 * @throws Error with the last lines of its log when it ends or does not become ready in time
 */
export async function startService(
	options: ServiceOptions,
	deadlines: Deadlines,
	inUse: readonly string[],
): Promise<ServiceProcess> {
	for (const { url, instance } of recorded(options.directory)) {
		if (!inUse.includes(url)) {
			await stopService(options.directory, instance, deadlines);
		}
	}
	const instance = `${options.release}-${randomBytes(4).toString("hex")}`;
	const process_ = { directory: options.directory, instance };
	const port = await findFreePort();
	const url = `http://${LOOPBACK}:${port}`;
	makeDirectory(options.directory, 0o700);
	writeFileAtomically(recordFile(process_), JSON.stringify({ url }), 0o600);
	try {
		await launch({
			...process_,
			entry: options.entry,
			environment: environment(options, deadlines, port, instance),
		});
		await waitUntilReady(process_, url, deadlines.readyTimeoutSeconds);
	} catch (error) {
		await stopService(options.directory, instance, deadlines);
		throw error;
	}
	return { instance, url };
}

/** What the service has beyond its own deadline before it is killed, in milliseconds. */
const OWN_DEADLINE_MS = 2000;

/** Ends a service process, giving it time to finish its requests. */
export async function stopService(directory: string, instance: string, deadlines: Deadlines): Promise<void> {
	const process_ = { directory, instance };
	await stop(process_, deadlines.drainTimeoutSeconds * 1000 + OWN_DEADLINE_MS);
	rmSync(recordFile(process_), { force: true });
}

/** Removes the folder of services that have all ended, with their logs. */
export function removeServiceFolder(directory: string): void {
	if (recorded(directory).length === 0) {
		rmSync(directory, { recursive: true, force: true });
	}
}

/** How often a process that runs is asked before it counts as dead: a busy one may be slow to answer. */
const ALIVE_ATTEMPTS = 3;

/** Whether the process runs and answers for itself; asked by previews, so nothing is changed. */
export async function isAlive(directory: string, { instance, url }: ServiceProcess): Promise<boolean> {
	const process_ = { directory, instance };
	for (let attempt = 0; attempt < ALIVE_ATTEMPTS && (await isRunning(process_)); attempt++) {
		if (await answersAs(process_, url)) {
			return true;
		}
	}
	return false;
}

/** The services of a folder that were started and not stopped, whether they still run or not. Changes nothing. */
export function startedServices(directory: string): ServiceProcess[] {
	return existsSync(directory) ? recorded(directory) : [];
}

function recorded(directory: string): ServiceProcess[] {
	makeDirectory(directory, 0o700);
	return readdirSync(directory)
		.filter((file) => file.endsWith(".json"))
		.flatMap((file) => {
			const record = readJsonFile(join(directory, file), recordSchema);
			return record === undefined ? [] : [{ instance: file.slice(0, -".json".length), ...record }];
		});
}

function recordFile({ directory, instance }: DetachedProcess): string {
	return join(directory, `${instance}.json`);
}

function environment(
	options: ServiceOptions,
	deadlines: Deadlines,
	port: number,
	instance: string,
): Record<string, string> {
	return {
		HOST: LOOPBACK,
		PORT: String(port),
		INSTANCE: instance,
		...serviceEnvironment(options, deadlines.drainTimeoutSeconds),
		PGPASSWORD: options.database.password,
		QUEUE_PGPASSWORD: options.queue.password,
	};
}

const POLL_INTERVAL_MS = 100;

async function waitUntilReady(process_: DetachedProcess, url: string, timeoutSeconds: number): Promise<void> {
	const outcome = await poll(timeoutSeconds * 1000, POLL_INTERVAL_MS, async () => {
		if (await isReady(process_, url)) {
			return "ready";
		}
		return (await isRunning(process_)) ? undefined : "ended";
	});
	if (outcome === "ready") {
		return;
	}
	const what =
		outcome === "ended" ? "ended" : `was not ready within ${timeoutSeconds} s (${await lastAnswer(url)})`;
	throw new Error(
		`the service ${process_.instance} ${what}; last lines of ${logFile(process_)}:\n${lastLogLines(process_)}`,
	);
}

async function isReady(process_: DetachedProcess, url: string): Promise<boolean> {
	if (!(await answersAs(process_, url))) {
		return false;
	}
	const reply = await get(`${url}/readyz`);
	return reply?.status === 200;
}

async function answersAs({ instance }: DetachedProcess, url: string): Promise<boolean> {
	const reply = await get(`${url}/healthz`);
	return reply?.status === 200 && reply.body.includes(instance);
}

async function lastAnswer(url: string): Promise<string> {
	const reply = await get(`${url}/readyz`);
	return reply === undefined ? "no answer on /readyz" : `/readyz answered ${reply.status} ${reply.body}`;
}

const REQUEST_TIMEOUT_MS = 3000;

async function get(url: string): Promise<{ status: number; body: string } | undefined> {
	try {
		const reply = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
		return { status: reply.status, body: await reply.text() };
	} catch {
		// Not listening yet, or no longer, or too slow: the caller asks again until its deadline and then says so.
		return undefined;
	}
}
