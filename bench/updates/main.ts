import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { cliMissing } from "../../test/support/engines";
import { type EngineName, TestProject } from "../../test/support/project";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const REPORT = join(__dirname, "../../docs/benchmarks/updates.md");

const OPERATIONS = ["first up", "no-op up", "preview of nothing", "release put back", "destroy"] as const;
type Operation = (typeof OPERATIONS)[number];
/** Milliseconds of each round. */
type Times = Record<Operation, number[]>;

async function main(): Promise<void> {
	const engines: EngineName[] = cliMissing === undefined ? ["embedded", "cli"] : ["embedded"];
	const load = loadavg()[0] ?? 0;
	const times = new Map<EngineName, Times>(engines.map((engine) => [engine, emptyTimes()]));
	// Alternating, so that neither engine has the quieter machine; the first round only warms the caches.
	for (let round = 0; round <= ROUNDS; round++) {
		for (const engine of engines) {
			const measured = await measure(engine);
			if (round > 0) {
				for (const operation of OPERATIONS) {
					times.get(engine)?.[operation].push(measured[operation]);
				}
			}
		}
	}
	const text = report(times, load);
	mkdirSync(join(REPORT, ".."), { recursive: true });
	writeFileSync(REPORT, text);
	console.log(text);
}

function emptyTimes(): Times {
	return { "first up": [], "no-op up": [], "preview of nothing": [], "release put back": [], destroy: [] };
}

async function measure(engine: EngineName): Promise<Record<Operation, number>> {
	const project = new TestProject(engine);
	const stack = ["--yes", "--skip-preview", "-s", "dev"];
	try {
		await project.init();
		const first = await timed(() => project.must("up", ...stack));
		const noop = await timed(() => project.must("up", ...stack));
		const preview = await timed(() => project.must("preview", "-s", "dev"));
		project.configure({ release: "1.2.0" });
		const back = await timed(() => project.must("up", ...stack));
		const destroy = await timed(() => project.must("destroy", ...stack));
		return {
			"first up": first,
			"no-op up": noop,
			"preview of nothing": preview,
			"release put back": back,
			destroy,
		};
	} finally {
		await project.remove();
	}
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const begin = performance.now();
	await work();
	return performance.now() - begin;
}

function report(times: Map<EngineName, Times>, load: number): string {
	const cli = times.get("cli");
	const rows = OPERATIONS.map((operation) => {
		const cells = [...times.values()].map((measured) => seconds(measured[operation]));
		const ratio =
			cli && (median(times.get("embedded")?.[operation] ?? []) / median(cli[operation])).toFixed(2);
		return `| ${[operation, ...cells, ...(ratio === undefined ? [] : [ratio])].join(" | ")} |`;
	});
	const names = [...times.keys()].map((engine) => (engine === "cli" ? "Pulumi CLI" : "embedded engine"));
	const head = ["", ...names, ...(cli ? ["ratio"] : [])];
	return [
		"# Whole updates of the dev environment",
		"",
		"Seconds of each command from its start to its end, as `npm run pulumi` runs it: median (least–most) of " +
			`${ROUNDS} rounds in turn, each in a fresh copy of the project, after one that warms the caches. ` +
			`${cpus().length} cores, load average ${load.toFixed(1)} at the start. Made by \`npm run bench:updates\`.`,
		...(cli ? [] : ["", `The Pulumi CLI was not measured: ${cliMissing}.`]),
		"",
		`| ${head.join(" | ")} |`,
		`| ${head.map(() => "---").join(" | ")} |`,
		...rows,
		"",
	].join("\n");
}

function seconds(milliseconds: number[]): string {
	const show = (value: number) => (value / 1000).toFixed(1);
	return `${show(median(milliseconds))} (${show(Math.min(...milliseconds))}–${show(Math.max(...milliseconds))})`;
}

function median(values: number[]): number {
	const sorted = [...values].sort((left, right) => left - right);
	const middle = sorted.length / 2;
	return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
