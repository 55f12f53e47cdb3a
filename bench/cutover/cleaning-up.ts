import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Does some work and cleans up after it, once, also when the process is told to end in the middle of it. */
export async function cleaningUp<T>(work: () => Promise<T>, cleanUp: () => Promise<void>): Promise<T> {
	let cleaned: Promise<void> | undefined;
	const clean = () => {
		cleaned ??= cleanUp();
		return cleaned;
	};
	const end = (signal: (typeof SIGNALS)[number]) => {
		clean()
			.catch((error: unknown) => console.error(error))
			.finally(() => process.exit(128 + constants.signals[signal]));
	};
	for (const signal of SIGNALS) {
		process.once(signal, end);
	}
	try {
		return await work();
	} finally {
		await clean();
		for (const signal of SIGNALS) {
			process.off(signal, end);
		}
	}
}
