import { cpus, getPriority } from "node:os";
import { type FenceCost, SETUPS, type Setup } from "./fence-cost";
import { POOL_SIZE } from "./service";
import { median, spread } from "./statistics";
import { describe, type Outcome, type Switch } from "./switches";

/** The steps that clients wait for; those before them run while requests are served. */
const PAUSED = ["hold", "close", "last write", "keep closed", "open", "route", "release"] as const;
const DIRECTIONS = ["cutover", "rollback"] as const;

/** The results as a page. */
export function writeReport(outcomes: readonly Outcome[], cost: FenceCost): string {
	return [
		"# What clients wait for in a cutover, and what the fence costs",
		"",
		`Made by \`npm run bench:cutover\` on ${cpus().length} cores that also ran the client, the gateway, both services and`,
		"PostgreSQL 18 with its default durability. The load averages below include all of that and whatever else the machine",
		`did${getPriority() === 0 ? "" : `, at niceness ${getPriority()}`}. Numbers are least / median / most.`,
		"",
		...switchSection(outcomes),
		...fenceSection(cost),
	].join("\n");
}

function switchSection(outcomes: readonly Outcome[]): string[] {
	return [
		"## The write pause",
		"",
		"A client in a process of its own writes at a constant rate through the gateway, however long answers take; behind it is",
		`the counting service, one process for each colour with ${POOL_SIZE} connections. The pause is the time from the last write`,
		"acknowledged by the old colour to the first acknowledged by the new one, at the client. Each switch is made by a process",
		"of its own, loaded beforehand. Before each cutover the new colour's service is started anew, so that it has never had",
		"a request, and the way back does not exist yet.",
		"",
		"| | switches | load | writes/s | pause of cutover, ms | pause of rollback, ms |",
		"| --- | --- | --- | --- | --- | --- |",
		...outcomes.map((outcome) => {
			const loads = outcome.switches.map(({ load }) => load);
			const pauses = DIRECTIONS.map((direction) =>
				spread(of(outcome, direction).map(({ pauseMs }) => pauseMs)),
			);
			const count = of(outcome, "cutover").length;
			return row(
				describe(outcome.scenario),
				`2 × ${count}`,
				spread(loads),
				outcome.perSecond.toFixed(0),
				...pauses,
			);
		}),
		"",
		"What became of every write, read back from the live colour at the end, and from the other one once it had caught up:",
		"",
		"| | acknowledged | failed | lost | doubled | differing on the other colour |",
		"| --- | --- | --- | --- | --- | --- |",
		...outcomes.map(({ scenario, acknowledged, failures, lost, doubled, differing }) =>
			row(describe(scenario), ...[acknowledged, failures.length, lost, doubled, differing].map(String)),
		),
		"",
		...outcomes.flatMap(({ scenario, failures }) =>
			failures.length === 0 ? [] : [`Failed with ${describe(scenario)}: ${kinds(failures)}.`, ""],
		),
		"For comparison, away from the switches (which includes what prepares them):",
		"",
		"| | answer, median, ms | answer, 99 %, ms | longest time without an answer, ms | longest answer around a switch, ms |",
		"| --- | --- | --- | --- | --- |",
		...outcomes.map(({ scenario, usualAnswerMs, longestUsualGapMs, switches }) =>
			row(
				describe(scenario),
				usualAnswerMs.median.toFixed(1),
				usualAnswerMs.p99.toFixed(1),
				longestUsualGapMs.toFixed(1),
				Math.max(...switches.map(({ longestAnswerMs }) => longestAnswerMs)).toFixed(1),
			),
		),
		"",
		"Where the time goes, medians in milliseconds by the cutover's own clock. `hold` includes the requests in flight, which",
		"are still answered; after `release` the client waits for the new colour's first answer.",
		"",
		`| | ${PAUSED.join(" | ")} | whole |`,
		`| --- ${"| --- ".repeat(PAUSED.length + 1)}|`,
		...outcomes.flatMap((outcome) =>
			DIRECTIONS.map((direction) => {
				const switches = of(outcome, direction);
				const steps = PAUSED.map((step) => median(switches.map((each) => durationOf(each, step))).toFixed(1));
				const whole = median(switches.map(({ report }) => report.pauseMs)).toFixed(1);
				return row(`${describe(outcome.scenario)}: ${direction}`, ...steps, whole);
			}),
		),
		"",
		"The longest pause of each row:",
		"",
		...outcomes.flatMap((outcome) =>
			DIRECTIONS.map((direction) => {
				const longest = of(outcome, direction).reduce((left, right) =>
					left.pauseMs > right.pauseMs ? left : right,
				);
				const steps = PAUSED.map((step) => `${step} ${durationOf(longest, step)}`).join(", ");
				return `- ${describe(outcome.scenario)}, ${direction}: ${longest.pauseMs.toFixed(1)} ms (${steps}), load ${longest.load.toFixed(1)}`;
			}),
		),
		"",
	];
}

/** What the failed requests were told, and how often. */
function kinds(failures: readonly string[]): string {
	const counts = new Map<string, number>();
	for (const failure of failures) {
		const kind = failure.replace(/^\S+: /, "");
		counts.set(kind, (counts.get(kind) ?? 0) + 1);
	}
	return [...counts].map(([kind, count]) => `${count} × \`${kind}\``).join(", ");
}

function of({ switches }: Outcome, direction: Switch["direction"]): Switch[] {
	return switches.filter((each) => each.direction === direction);
}

function durationOf({ report }: Switch, step: string): number {
	return report.steps.find((each) => each.step === step)?.durationMs ?? 0;
}

function fenceSection({ statement, throughput, load }: FenceCost): string[] {
	const base = throughput.get("no fence")!;
	const ratios = (setup: Setup, figure: "perSecond" | "medianMs" | "p99Ms") =>
		throughput.get(setup)!.map((each, round) => each[figure] / base[round]![figure]);
	return [
		"## What the fence and a following colour cost the live one",
		"",
		`${statement.length} rounds, in which the setups take turns. Load average ${load.toFixed(1)} at the start.`,
		"",
		"One INSERT with its commit, on the server alone and without waiting for the disk: " +
			`${spread(statement.map(({ plain }) => plain))} µs without the fence, ` +
			`${spread(statement.map(({ fenced }) => fenced))} µs with it; the difference in each round is ` +
			`${spread(statement.map(({ plain, fenced }) => fenced - plain))} µs.`,
		"",
		"Eight sessions of the application insert as fast as they can. Ratios are against no fence in the same round:",
		"",
		"| | writes/s | throughput, ratio | median latency, ratio | 99 % latency, ratio |",
		"| --- | --- | --- | --- | --- |",
		...SETUPS.map((setup) => {
			const rates = throughput.get(setup)!.map(({ perSecond }) => perSecond);
			const figures = (["perSecond", "medianMs", "p99Ms"] as const).map((figure) => {
				const values = ratios(setup, figure);
				const cells = [Math.min(...values), median(values), Math.max(...values)].map((value) =>
					value.toFixed(2),
				);
				return cells.join(" / ");
			});
			return row(setup, median(rates).toFixed(0), ...(setup === "no fence" ? ["1", "1", "1"] : figures));
		}),
		"",
		"The sessions keep both cores busy, so that these ratios are the worst that a live colour can see; the following colour's",
		"own work is in them, since it has no machine of its own here.",
		"",
	];
}

function row(...cells: string[]): string {
	return `| ${cells.join(" | ")} |`;
}
