import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import type { Connection } from "../components/database/connection";
import { ensureServer, removeServer, superuserConnection } from "../components/database/local/server";
import { runSchedules, type ScheduleFigures } from "../test/traffic/workload/schedules";

const REPORT = join(__dirname, "..", "docs", "soak.md");
/** Schedules that share a stack; the next ones get another. */
const PER_STACK = 10;
/** Every so many stacks one has a server for each colour. */
const TWO_SERVERS_EVERY = 4;

const count = z.coerce.number().int().min(1);
const optionsSchema = z.object({ schedules: count, seed: z.coerce.number().int().min(0) });

/** Runs many random schedules and writes down what they came to; the first discrepancy ends it. */
async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			schedules: { type: "string", default: "1000" },
			seed: { type: "string", default: String(randomInt(2 ** 31)) },
		},
	});
	const { schedules, seed } = optionsSchema.parse(values);
	const started = performance.now();
	const load = loadavg()[0]!;
	const done: ScheduleFigures[] = [];
	await withServers(async (blue, green) => {
		for (let begun = 0, stack = 0; begun < schedules; begun += PER_STACK, stack++) {
			const two = stack % TWO_SERVERS_EVERY === TWO_SERVERS_EVERY - 1;
			const few = Math.min(PER_STACK, schedules - begun);
			done.push(await runSchedules({ blue, ...(two && { green }) }, seed + stack, few));
			console.log(`${begun + few} of ${schedules} schedules, seed ${seed}`);
		}
	});
	writeFileSync(REPORT, report(done, seed, (performance.now() - started) / 1000, load));
	console.log(`written to ${REPORT}`);
}

async function withServers(work: (blue: Connection, green: Connection) => Promise<void>): Promise<void> {
	const directories: string[] = [];
	const server = async () => {
		const directory = mkdtempSync(join(tmpdir(), "counting-soak-"));
		// For PostgreSQL's own account, when root runs this.
		chmodSync(directory, 0o755);
		directories.push(directory);
		const password = randomBytes(12).toString("hex");
		const { port } = await ensureServer({ directory, password, maxConnections: 100, timeoutSeconds: 60 });
		return superuserConnection(port, password);
	};
	try {
		await work(await server(), await server());
	} finally {
		for (const directory of directories) {
			await removeServer(directory, 30);
			rmSync(directory, { recursive: true, force: true });
		}
	}
}

function report(done: readonly ScheduleFigures[], seed: number, seconds: number, load: number): string {
	const sum = (key: Exclude<keyof ScheduleFigures, "pausesMs">) =>
		done.reduce((total, figures) => total + figures[key], 0);
	const pauses = done.flatMap(({ pausesMs }) => pausesMs).sort((left, right) => left - right);
	const at = (share: number) =>
		`${pauses[Math.min(pauses.length - 1, Math.floor(share * pauses.length))]} ms`;
	const rows = [
		["schedules", sum("schedules")],
		["releases (new colour, copy, cutover)", sum("releases")],
		["switches to the idle colour", sum("switches")],
		["bakes that failed", sum("failedBakes")],
		["acknowledged writes", sum("acknowledged")],
		["writes refused, to be tried again", sum("refused")],
		["writes with unknown outcome", sum("unknown")],
		["lost, doubled, half-written, or otherwise wrong", 0],
		["pause, median", at(0.5)],
		["pause, 95 of 100", at(0.95)],
		["pause, longest", at(1)],
	];
	return [
		"# Random releases and rollbacks under random writers",
		"",
		"Each schedule is one to three releases, switches between the colours and failing bakes at random moments while up to " +
			"eight clients write; after each, every acknowledged write is looked for and both colours are compared. " +
			`Seed ${seed}, ${Math.round(seconds)} s, ${cpus().length} cores, load average ${load.toFixed(1)} at the start. ` +
			`Made by \`npm run soak -- --schedules ${sum("schedules")} --seed ${seed}\`; it ends at the first discrepancy, naming seed and schedule.`,
		"",
		"| | |",
		"| --- | --- |",
		...rows.map(([name, value]) => `| ${name} | ${value} |`),
		"",
	].join("\n");
}

main().catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
});
