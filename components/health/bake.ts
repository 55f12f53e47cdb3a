import { setTimeout as sleep } from "node:timers/promises";
import type { TrafficCounters } from "../traffic/routing";
import { LastingFault } from "./lasting-fault";
import { describePercentile } from "./latency";
import { JUDGED_REQUESTS, latencyOf, type TrafficLimits, trafficFaults } from "./traffic-limits";
import { TrafficWatch } from "./traffic-watch";

export interface BakeOptions extends TrafficLimits {
	/** How long the new colour is watched; with 0 it is looked at once. */
	seconds: number;
	/** Milliseconds between two looks. */
	intervalMs?: number;
	/** Milliseconds until a call that has not answered counts as a fault. */
	callTimeoutMs?: number;
	/** Of the new colour, at the router. */
	counters(): Promise<TrafficCounters>;
	/** What is wrong with the new colour, in words; undefined when nothing is. */
	checkHealth(): Promise<string | undefined>;
	/** What is wrong with the replication back to the colour before, in words; undefined when nothing is. */
	checkReplication(): Promise<string | undefined>;
	log(line: string): void;
	clock?: Clock;
}

export interface Clock {
	/** Milliseconds since any moment; never goes back. */
	now(): number;
	sleep(ms: number): Promise<unknown>;
}

export interface BakeReport {
	/** How long it was watched. */
	seconds: number;
	requests: number;
	failures: number;
	/** The 95th percentile in milliseconds; undefined when no request came, the least it can be beyond all buckets. */
	latencyMs?: number;
	/** Faults that did not last. */
	passingFaults: string[];
}

/** The new colour did not stand its bake. */
export class BakeFailure extends Error {
	override readonly name = "BakeFailure";

	constructor(
		/** Each with its figures. */
		readonly reasons: readonly string[],
		readonly report: BakeReport,
		plannedSeconds: number,
	) {
		super(
			`the new colour did not stand its bake (${Math.round(report.seconds)} of ${plannedSeconds} s): ` +
				reasons.join("; "),
		);
	}
}

const INTERVAL_MS = 1000;
const CALL_TIMEOUT_MS = 3000;
const PROGRESS_MS = 10_000;
const LASTING = { times: 3, lastingMs: 3000 };
const AT_ONCE = { times: 1, lastingMs: 0 };

const systemClock: Clock = { now: () => performance.now(), sleep: (ms) => sleep(ms) };

/**
 * Watches a colour that has just got the traffic: its health, the replication back, and what its clients get.
 * A check fails when it finds a fault three times in a row or for 3 s; the traffic is judged over the bake so far and
 * over the last 10 s. The bake does not end on a fault of which it is not known yet whether it lasts.
 *
 * @throws BakeFailure with every reason and its figures, as soon as there is one
 */
export async function bake(options: BakeOptions): Promise<BakeReport> {
	const { seconds, intervalMs = INTERVAL_MS, clock = systemClock, log } = options;
	const watch = new TrafficWatch();
	const checks = checksOf(options, watch, clock);
	const passingFaults: string[] = [];
	const start = clock.now();
	let nextProgressMs = PROGRESS_MS;
	let looksAfterwards = 0;

	for (;;) {
		const answers = await Promise.all(checks.map(({ ask }) => answerOf(ask, options.callTimeoutMs)));
		for (const [index, { fault }] of checks.entries()) {
			const passed = noteAnswer(fault, answers[index], clock.now(), log);
			if (passed !== undefined) passingFaults.push(passed);
		}

		const elapsedMs = clock.now() - start;
		const over = elapsedMs >= seconds * 1000;
		if (over) looksAfterwards++;
		const open = checks.map(({ fault }) => fault).filter(({ isOpen }) => isOpen);
		const lasting = looksAfterwards > LASTING.times ? open : open.filter(({ isLasting }) => isLasting);
		const reasons = [...lasting.map((fault) => fault.describe()), ...trafficFaults(watch, options, over)];
		const report = reportOf(watch, elapsedMs, passingFaults);
		if (reasons.length > 0) {
			throw new BakeFailure(reasons, report, seconds);
		}
		if (over && open.length === 0) {
			log(`stood its bake of ${seconds} s: ${describeTraffic(watch)}`);
			return report;
		}
		if (elapsedMs >= nextProgressMs) {
			log(`${Math.round(elapsedMs / 1000)} of ${seconds} s: ${describeTraffic(watch)}`);
			nextProgressMs += PROGRESS_MS;
		}
		await clock.sleep(over ? intervalMs : Math.min(intervalMs, seconds * 1000 - elapsedMs));
	}
}

interface Check {
	fault: LastingFault;
	/** The fault found, undefined when there is none. */
	ask(): Promise<string | undefined>;
}

function checksOf(
	{ seconds, counters, checkHealth, checkReplication }: BakeOptions,
	watch: TrafficWatch,
	clock: Clock,
): Check[] {
	const limits = seconds === 0 ? AT_ONCE : LASTING;
	return [
		{ fault: new LastingFault("health", limits), ask: checkHealth },
		{ fault: new LastingFault("replication", limits), ask: checkReplication },
		{
			fault: new LastingFault("traffic counters", limits),
			async ask() {
				watch.add(clock.now(), await counters());
				return undefined;
			},
		},
	];
}

/** A check that throws or does not answer has found a fault as well. */
async function answerOf(
	ask: () => Promise<string | undefined>,
	timeoutMs = CALL_TIMEOUT_MS,
): Promise<string | undefined> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<string>((resolve) => {
		timer = setTimeout(() => resolve(`no answer within ${timeoutMs} ms`), timeoutMs);
	});
	try {
		return await Promise.race([ask(), late]);
	} catch (error) {
		return error instanceof Error ? error.message : String(error);
	} finally {
		clearTimeout(timer);
	}
}

/** Tells when a fault comes and goes. Returns one that has passed. */
function noteAnswer(
	fault: LastingFault,
	answer: string | undefined,
	at: number,
	log: BakeOptions["log"],
): string | undefined {
	const before = fault.isOpen ? fault.describe() : undefined;
	fault.note(at, answer);
	if (before === undefined && fault.isOpen) log(fault.describe());
	if (before === undefined || fault.isOpen) return undefined;
	log(`${fault.check}: well again`);
	return before;
}

function reportOf(watch: TrafficWatch, elapsedMs: number, passingFaults: string[]): BakeReport {
	const total = watch.total();
	const latency = latencyOf(total);
	return {
		seconds: elapsedMs / 1000,
		requests: total.requests,
		failures: total.failures,
		...(latency && { latencyMs: latency.ms }),
		passingFaults,
	};
}

function describeTraffic(watch: TrafficWatch): string {
	const total = watch.total();
	const latency = latencyOf(total);
	if (latency === undefined) return "no request came";
	const few = total.requests < JUDGED_REQUESTS ? ", too few to judge their share" : "";
	return (
		`${total.requests} requests, ${total.failures} failed${few}, 95th percentile of the latency ` +
		describePercentile(latency)
	);
}
