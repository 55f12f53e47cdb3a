import { text } from "node:stream/consumers";
import type { MigrateOptions } from "../../components/migrations/options";
import { migrate } from "../../components/migrations/run";

/** Runs `migrate` with the options on its standard input, in a process that a test can kill. */
async function main(): Promise<void> {
	const options: Omit<MigrateOptions, "log"> = JSON.parse(await text(process.stdin));
	const report = await migrate({ ...options, log: () => {} });
	process.stdout.write(JSON.stringify(report));
}

main().catch((error) => {
	process.stderr.write(String(error));
	process.exitCode = 1;
});
