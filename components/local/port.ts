import { createServer } from "node:net";
import { poll } from "./deadline";

/** The address that everything of platform `local` listens on. */
export const LOOPBACK = "127.0.0.1";

/** A loopback TCP port that was free a moment ago. */
export function findFreePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.once("error", reject);
		probe.listen(0, LOOPBACK, () => {
			const address = probe.address();
			probe.close(() =>
				address && typeof address === "object"
					? resolve(address.port)
					: reject(new Error("the system gave no free port")),
			);
		});
	});
}

/** Whether a loopback TCP port can be listened on now. */
export function isPortFree(port: number): Promise<boolean> {
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.once("error", (error: NodeJS.ErrnoException) =>
			error.code === "EADDRINUSE" ? resolve(false) : reject(error),
		);
		probe.listen(port, LOOPBACK, () => probe.close(() => resolve(true)));
	});
}

/** How long a program that has just ended may take to let go of its port, in milliseconds. */
const LETTING_GO_MS = 2000;

/**
 * The port to listen on: the one already chosen, else the one asked for, else a free one.
 *
 * @throws Error naming the port, what wanted it and the mend, when another program holds it.
 */
export async function claimPort(port: number | undefined, purpose: string, mend: string): Promise<number> {
	if (port === undefined) {
		return findFreePort();
	}
	const free = await poll(LETTING_GO_MS, 50, async () => (await isPortFree(port)) || undefined);
	if (free === undefined) {
		throw new Error(
			`port ${port} for ${purpose} is taken by another program: end that program (\`ss -ltnp\` shows it), or ${mend}`,
		);
	}
	return port;
}
