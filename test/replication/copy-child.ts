import { text } from "node:stream/consumers";
import { copyData } from "../../components/replication/copy";

/** Copies as told on standard input, and kills itself as a crash would when it comes to a step. */
async function main(): Promise<void> {
	const { killAt, ...options } = JSON.parse(await text(process.stdin));
	await copyData({
		...options,
		log: () => {},
		step: async (name) => {
			if (name === killAt) process.kill(process.pid, "SIGKILL");
		},
	});
}

main();
