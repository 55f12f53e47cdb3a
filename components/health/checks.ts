import { z } from "zod";
import { poll } from "../local/deadline";

const versionSchema = z.object({ release: z.string() });

const REQUEST_TIMEOUT_MS = 3000;
const POLL_INTERVAL_MS = 100;

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
	try {
		for (const path of ["/healthz", "/readyz", "/version"]) {
			const reply = await fetch(url + path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
			const body = await reply.text();
			if (!reply.ok) {
				return `${path} answered ${reply.status} ${body}`;
			}
			if (path === "/version") {
				const found = versionSchema.parse(JSON.parse(body)).release;
				return found === release ? "" : `release ${found} answers, not ${release}`;
			}
		}
		return "";
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	}
}
