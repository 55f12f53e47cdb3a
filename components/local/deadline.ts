import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls until `probe` returns something other than undefined.
 *
 * @param timeoutMs milliseconds until the wait is given up
 * @returns undefined when the deadline passed
 */
export async function poll<T>(
	timeoutMs: number,
	intervalMs: number,
	probe: () => Promise<T | undefined> | T | undefined,
): Promise<T | undefined> {
	const deadline = process.hrtime.bigint() + BigInt(Math.ceil(timeoutMs)) * 1_000_000n;
	for (;;) {
		const found = await probe();
		if (found !== undefined) {
			return found;
		}
		if (process.hrtime.bigint() >= deadline) {
			return undefined;
		}
		await sleep(intervalMs);
	}
}
