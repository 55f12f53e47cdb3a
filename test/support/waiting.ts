import { setTimeout as sleep } from "node:timers/promises";

const DEADLINE_MS = 60_000;
const INTERVAL_MS = 10;

/**
 * Waits until something is so, and returns it.
 *
 * @throws Error naming what was waited for when it does not come about
 */
export async function until<T>(
	what: string,
	probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
	const deadline = performance.now() + DEADLINE_MS;
	for (;;) {
		const found = await probe();
		if (found !== undefined && found !== false) {
			return found;
		}
		if (performance.now() > deadline) {
			throw new Error(`waited in vain until ${what}`);
		}
		await sleep(INTERVAL_MS);
	}
}
