import { z } from "zod";
import { poll } from "../local/deadline";

const versionSchema = z.object({ release: z.string() });

const REQUEST_TIMEOUT_MS = 3000;
const POLL_INTERVAL_MS = 100;
/** Of an answer that is told. */
const ANSWER_LENGTH = 300;

/**
 * Waits until the release answers at its public address and says that its database is ready.
 *
 * @throws Error with the last answer when that does not happen in time
 */
export async function waitUntilHealthy(url: string, release: string, timeoutSeconds: number): Promise<void> {
	let last = "";
	const healthy = await poll(timeoutSeconds * 1000, POLL_INTERVAL_MS, async () => {
		last = await findFault(url, release);
		return last === "" ? true : undefined;
	});
	if (healthy === undefined) {
		throw new Error(`${url} is not healthy after ${timeoutSeconds} s: ${last}`);
	}
}

/** What is wrong at an address of a release; empty when nothing is. */
export async function findFault(url: string, release: string): Promise<string> {
	return (await releaseFault(url, release)).fault;
}

/** One request and what became of it. */
export interface Probe {
	path: string;
	/** Undefined when no answer came. */
	status?: number;
	body: string;
	/** How long the whole answer took. */
	ms: number;
	/** What is wrong; empty when nothing is. */
	fault: string;
}

/** Asks the endpoints that every release has, until one of them is at fault. */
export async function releaseFault(
	url: string,
	release: string,
): Promise<{ fault: string; probes: Probe[] }> {
	const probes: Probe[] = [];
	for (const path of ["/healthz", "/readyz", "/version"]) {
		const answer = await probe(url, path);
		probes.push(answer);
		const fault = answer.fault || (path === "/version" ? wrongRelease(answer.body, release) : "");
		if (fault !== "") {
			return { fault, probes };
		}
	}
	return { fault: "", probes };
}

/** Reads one path. */
export async function probe(url: string, path: string): Promise<Probe> {
	const started = performance.now();
	const took = () => performance.now() - started;
	try {
		const reply = await fetch(url + path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
		const body = await reply.text();
		const fault = reply.ok ? "" : `${path} answered ${reply.status} ${body.slice(0, ANSWER_LENGTH)}`;
		return { path, status: reply.status, body, ms: took(), fault };
	} catch (error) {
		return { path, body: "", ms: took(), fault: `${path}: ${reasonOf(error)}` };
	}
}

/** The release that answers at an address; undefined when none says so. */
export async function answeringRelease(url: string): Promise<string | undefined> {
	return toldRelease((await probe(url, "/version")).body);
}

function wrongRelease(body: string, release: string): string {
	const found = toldRelease(body);
	if (found === undefined) {
		return "/version does not tell the release";
	}
	return found === release ? "" : `release ${found} answers, not ${release}`;
}

function toldRelease(body: string): string | undefined {
	try {
		return versionSchema.parse(JSON.parse(body)).release;
	} catch {
		// Whatever answers there, it is no release.
		return undefined;
	}
}

/** `fetch` itself only says that it failed; why is below. */
function reasonOf(error: unknown): string {
	const cause = error instanceof Error ? (error.cause ?? error) : error;
	return cause instanceof Error ? cause.message || cause.name : String(cause);
}
