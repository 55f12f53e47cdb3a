import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { measureFenceCost } from "./fence-cost";
import { writeReport } from "./report";
import { measureSwitches, type Outcome, type Scenario } from "./switches";

const ROUNDS = Number(process.env.ROUNDS ?? 30);
const WRITES_PER_SECOND = Number(process.env.WRITES_PER_SECOND ?? 1000);
/** So that about five are in flight at any time. */
const SLOW_PER_SECOND = 40;
const FENCE_ROUNDS = Math.min(ROUNDS, 8);
const REPORT = join(__dirname, "../../docs/benchmarks/cutover.md");

const COMMON = { writesPerSecond: WRITES_PER_SECOND, rounds: ROUNDS };
const SCENARIOS: readonly Scenario[] = [
	{ ...COMMON, servers: 1, slowPerSecond: 0 },
	{ ...COMMON, servers: 2, slowPerSecond: 0 },
	{ ...COMMON, servers: 1, slowPerSecond: SLOW_PER_SECOND },
	{ ...COMMON, servers: 2, slowPerSecond: SLOW_PER_SECOND },
];

async function main(): Promise<void> {
	const outcomes: Outcome[] = [];
	for (const scenario of SCENARIOS) {
		outcomes.push(await measureSwitches(scenario, console.log));
	}
	const report = writeReport(outcomes, await measureFenceCost(FENCE_ROUNDS, console.log));
	mkdirSync(join(REPORT, ".."), { recursive: true });
	writeFileSync(REPORT, report);
	console.log(report);
	if (
		outcomes.some(
			({ failures, lost, doubled, differing }) => failures.length + lost + doubled + differing > 0,
		)
	) {
		process.exitCode = 1;
	}
}

main().catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
