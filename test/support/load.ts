import { setTimeout as sleep } from "node:timers/promises";

/** What a client saw that asked one address without pause. */
export interface Load<T> {
	/** What the work returned. */
	result: T;
	requests: number;
	/** Every answer that was not a success. */
	failures: string[];
}

const PAUSE_MS = 2;

/** Does some work while a client asks an address again and again. */
export async function underLoad<T>(url: string, work: () => Promise<T>): Promise<Load<T>> {
	const failures: string[] = [];
	let requests = 0;
	let stopped = false;
	const client = (async () => {
		while (!stopped) {
			requests++;
			const failure = await ask(url);
			if (failure !== undefined) {
				failures.push(failure);
			}
			await sleep(PAUSE_MS);
		}
	})();
	try {
		const result = await work();
		return { result, requests, failures };
	} finally {
		stopped = true;
		await client;
	}
}

async function ask(url: string): Promise<string | undefined> {
	try {
		const reply = await fetch(url, { signal: AbortSignal.timeout(10_000) });
		const body = await reply.text();
		return reply.ok ? undefined : `${reply.status} ${body}`;
	} catch (error) {
		return error instanceof Error && error.cause !== undefined ? `${error}: ${error.cause}` : String(error);
	}
}
