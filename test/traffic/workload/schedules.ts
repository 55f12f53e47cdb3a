import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../../../components/database/connection";
import { check, describeDiscrepancies } from "./checker";
import { compareColors } from "./compare-colors";
import { Ledger } from "./ledger";
import { Random } from "./random";
import { WorkloadStack } from "./stack";
import { Writers } from "./writers";

/** What the schedules of a run came to. */
export interface ScheduleFigures {
	schedules: number;
	releases: number;
	switches: number;
	failedBakes: number;
	acknowledged: number;
	refused: number;
	unknown: number;
	/** How long requests waited at each cutover, in milliseconds. */
	pausesMs: number[];
}

const ACTIONS = { release: 2, switch: 10, failBake: 2, failRelease: 1 } as const;
const LONGEST_WAIT_MS = 60;

/**
 * Runs random schedules of releases, rollbacks, rollbacks of rollbacks and failing bakes on one stack, each under writers
 * of its own, and checks everything after each.
 *
 * @param seed the same seed gives the same choices
 * @throws Error naming the seed and every discrepancy
 */
export async function runSchedules(
	servers: { blue: Connection; green?: Connection },
	seed: number,
	count: number,
): Promise<ScheduleFigures> {
	const random = new Random(seed);
	const figures: ScheduleFigures = {
		schedules: 0,
		releases: 0,
		switches: 0,
		failedBakes: 0,
		acknowledged: 0,
		refused: 0,
		unknown: 0,
		pausesMs: [],
	};
	const stack = await WorkloadStack.start(servers.blue, servers.green);
	const ledger = new Ledger(`s${seed}`);
	try {
		for (let number = 0; number < count; number++) {
			const actions = await runOne(stack, ledger, random.fork(), figures);
			const problems = [
				describeDiscrepancies(await check(ledger, stack.live.node.admin)),
				...(stack.idle === undefined
					? []
					: await compareColors(stack.live.node.admin, stack.idle.node.admin)),
			].filter((line) => line !== "");
			if (problems.length > 0) {
				throw new Error(
					`seed ${seed}, schedule ${number + 1} (${actions.join(", ")}):\n${problems.join("\n")}\n${stack.told.slice(-10).join("\n")}`,
				);
			}
			figures.schedules++;
		}
		const { acknowledged, refused, unknown } = ledger.counts();
		return { ...figures, acknowledged, refused, unknown };
	} finally {
		await stack.remove();
	}
}

async function runOne(
	stack: WorkloadStack,
	ledger: Ledger,
	random: Random,
	figures: ScheduleFigures,
): Promise<string[]> {
	const writers = Writers.start({
		url: stack.url,
		ledger,
		random: random.fork(),
		count: random.between(1, 8),
		thinkMs: random.between(0, 10),
		pauseMs: random.between(0, 100),
	});
	const done: string[] = [];
	try {
		for (let left = random.between(1, 2); left > 0; left--) {
			await sleep(random.next() * LONGEST_WAIT_MS);
			const action = stack.idle === undefined ? "release" : random.weighted(ACTIONS);
			done.push(action);
			await act(stack, action, figures);
		}
		await sleep(random.next() * LONGEST_WAIT_MS);
	} finally {
		await writers.stop();
	}
	return done;
}

async function act(
	stack: WorkloadStack,
	action: keyof typeof ACTIONS,
	figures: ScheduleFigures,
): Promise<void> {
	if (action === "failBake" || action === "failRelease") {
		await stack[action]();
		figures.failedBakes++;
		return;
	}
	const { report } = await stack[action]();
	figures[action === "release" ? "releases" : "switches"]++;
	figures.pausesMs.push(report?.pauseMs ?? 0);
}
