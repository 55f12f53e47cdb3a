import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, withClient } from "../../components/database/connection";
import { removeServer } from "../../components/database/local/server";
import { catchUp, withLink } from "../../components/replication/link-state";
import { nodeName, withNode } from "../../components/replication/node";
import type { CutoverLimits, CutoverReport, Side } from "../../components/traffic/cutover";
import { ensureGateway, removeGateway } from "../../components/traffic/local/gateway-process";
import { GatewayRouter } from "../../components/traffic/local/gateway-router";
import { unlinkBack } from "../../components/traffic/reverse-link";
import { openFence } from "../../components/traffic/write-fence";
import { answerOf, startChild } from "./child";
import { cleaningUp } from "./cleaning-up";
import { type ColorDatabase, follow, makeColor, migrateColor, startServers } from "./databases";
import { Load, type LoadReport } from "./load";
import type { SwitchOrder } from "./one-switch";
import { Service } from "./service";
import { quantile } from "./statistics";

/** As a stack has them unless it says otherwise. */
export const LIMITS: CutoverLimits = {
	catchUpTimeoutMs: 60_000,
	maxLagBytes: 1_048_576,
	longTransactionMs: 30_000,
	endLongTransactions: false,
	healthTimeoutMs: 30_000,
	slotTimeoutMs: 60_000,
	pauseTimeoutMs: 5000,
};
/** After processes have started and after a switch, until the machine is calm again, in milliseconds. */
const GOES_ON_MS = 1500;
const WARM_UP_MS = 3000;
/** After a switch, until what had waited has been answered, in milliseconds. */
const SETTLE_MS = 150;

export interface Scenario {
	servers: 1 | 2;
	writesPerSecond: number;
	slowPerSecond: number;
	/** Switches in each direction. */
	rounds: number;
}

export interface Switch {
	direction: "cutover" | "rollback";
	/** From the last write acknowledged by the old colour to the first by the new one, in milliseconds. */
	pauseMs: number;
	/** The longest that a request around it waited for its answer, in milliseconds. */
	longestAnswerMs: number;
	report: CutoverReport;
	load: number;
}

export interface Outcome {
	scenario: Scenario;
	switches: Switch[];
	failures: string[];
	acknowledged: number;
	lost: number;
	doubled: number;
	/** Rows that the other colour has not, or has differently, once it has caught up. */
	differing: number;
	perSecond: number;
	/** Of answers away from any switch, in milliseconds. */
	usualAnswerMs: { median: number; p99: number };
	/** The longest time without an acknowledgement away from any switch, in milliseconds. */
	longestUsualGapMs: number;
}

interface Boundary {
	direction: Switch["direction"];
	/** The last id that the old colour gave to a row. */
	lastId: number;
	report: CutoverReport;
	load: number;
}

/** Switches to and fro while a client writes, and looks in the end what became of all that it wrote. */
export async function measureSwitches(scenario: Scenario, tell: (line: string) => void): Promise<Outcome> {
	const directory = mkdtempSync(join(tmpdir(), "cutover-bench-"));
	const gateway = { stateFile: join(directory, "gateway", "state.json"), timeoutSeconds: 30 };
	const services = new Map<ColorDatabase, Service>();
	const started: Promise<Service>[] = [];
	const serve = async (color: ColorDatabase): Promise<Side> => {
		const starting = Service.start(nodeName(color.node), color.application);
		started.push(starting);
		const service = await starting;
		services.set(color, service);
		return { node: color.node, target: service.target };
	};
	const cleanUp = async () => {
		await removeGateway(gateway);
		for (const service of await Promise.allSettled(started)) {
			await (service.status === "fulfilled" ? service.value.stop() : undefined);
		}
		await removeServer(directory, 30);
		rmSync(directory, { recursive: true, force: true });
	};
	return cleaningUp(async () => {
		const databases = await startServers(directory, scenario.servers);
		const blue = await makeColor(databases, "blue");
		await migrateColor(databases, blue);
		const green = await makeColor(databases, "green");
		await follow(databases, blue, green);
		await withNode(blue.node, "bench", (client) => openFence(client, 1));
		const blueSide = await serve(blue);
		const { url } = await ensureGateway(gateway);
		const router = new GatewayRouter(gateway.stateFile);
		await router.prepare(blueSide.target, LIMITS.healthTimeoutMs);
		await router.route(blueSide.target);

		const load = Load.start({ ...scenario, url, cameraId: 1, run: "bench" });
		const boundaries: Boundary[] = [];
		let seen: LoadReport;
		try {
			await sleep(WARM_UP_MS);
			for (let round = 1; round <= scenario.rounds; round++) {
				// As with each release: its service has never had a request, and its way back is made anew.
				const [greenSide, ...processes] = await Promise.all([serve(green), loadSwitch(), loadSwitch()]);
				await sleep(GOES_ON_MS);
				for (const [index, child] of processes.entries()) {
					const [from, to] = index === 0 ? [blueSide, greenSide] : [greenSide, blueSide];
					const order: SwitchOrder = { from, to, stateFile: gateway.stateFile, limits: LIMITS };
					boundaries.push(await switchOnce(child, index === 0 ? "cutover" : "rollback", order));
					await sleep(GOES_ON_MS);
				}
				await services.get(green)!.stop();
				await withLink(blue.node, green.node, unlinkBack);
				const pauses = boundaries.slice(-2).map(({ report }) => report.pauseMs);
				tell(`${describe(scenario)}: ${round} of ${scenario.rounds}, pauses ${pauses.join(" and ")} ms`);
			}
		} finally {
			seen = await load.stop();
		}
		return await judge(scenario, boundaries, seen, blue, green);
	}, cleanUp);
}

async function loadSwitch(): Promise<ChildProcess> {
	const child = startChild("one-switch.ts");
	await answerOf(child);
	return child;
}

async function switchOnce(
	child: ChildProcess,
	direction: Switch["direction"],
	order: SwitchOrder,
): Promise<Boundary> {
	const answer = answerOf<CutoverReport>(child);
	child.send(order);
	const report = await answer;
	return { direction, report, lastId: await lastIdOf(order.from.node.admin), load: loadavg()[0]! };
}

export function describe({ servers, slowPerSecond }: Scenario): string {
	const slow = slowPerSecond > 0 ? ", with transactions of 120 ms" : "";
	return `${servers === 1 ? "one server" : "two servers"}${slow}`;
}

async function lastIdOf(connection: Connection): Promise<number> {
	return withClient(connection, { applicationName: "bench" }, async (client) => {
		const { rows } = await client.query<{ last: string }>(
			"SELECT last_value::text AS last FROM counting_results_id_seq",
		);
		return Number(rows[0]!.last);
	});
}

/** Where the switches lie in what the client saw, and what the database says of it. */
async function judge(
	scenario: Scenario,
	boundaries: readonly Boundary[],
	seen: LoadReport,
	live: ColorDatabase,
	idle: ColorDatabase,
): Promise<Outcome> {
	const rows = await readBack(live.node.admin);
	const copies = await withLink(live.node, idle.node, async (ends) => {
		await catchUp(ends, { maxLagBytes: LIMITS.maxLagBytes, timeoutMs: LIMITS.catchUpTimeoutMs }, () => {});
		return readBack(idle.node.admin);
	});
	const spans = boundaries.map((boundary) => spanOf(boundary.lastId, seen));
	const seconds = (seen.acknowledgedAt.at(-1)! - seen.acknowledgedAt[0]!) / 1000;
	return {
		scenario,
		switches: boundaries.map(({ direction, report, load }, index) => ({
			direction,
			report,
			load,
			pauseMs: spans[index]!.to - spans[index]!.from,
			longestAnswerMs: longestAnswer(spans[index]!, seen),
		})),
		failures: seen.failures,
		acknowledged: seen.names.length,
		lost: seen.names.filter((name, index) => !rows.get(name)?.includes(seen.ids[index]!)).length,
		doubled: [...rows.values()].filter((ids) => ids.length > 1).length,
		differing: new Set(
			[...rows.keys(), ...copies.keys()].filter((name) => `${rows.get(name)}` !== `${copies.get(name)}`),
		).size,
		perSecond: seen.names.length / seconds,
		...usual(spans, seen),
	};
}

/** The ids that each name has in a database. */
async function readBack(connection: Connection): Promise<Map<string, number[]>> {
	const session = { applicationName: "bench", statementTimeoutMs: 120_000 };
	return withClient(connection, session, async (client) => {
		const { rows } = await client.query<{ name: string; ids: number[] }>(
			"SELECT count_type AS name, array_agg(id ORDER BY id) AS ids FROM counting_results GROUP BY 1",
		);
		return new Map(rows.map(({ name, ids }) => [name, ids]));
	});
}

interface Span {
	from: number;
	to: number;
}

/** Ids only ever grow, over both colours: up to the last one of the old colour they come from it, above from the new. */
function spanOf(lastId: number, { ids, acknowledgedAt }: LoadReport): Span {
	let from = Number.NEGATIVE_INFINITY;
	let to = Number.POSITIVE_INFINITY;
	for (const [index, id] of ids.entries()) {
		if (id <= lastId) {
			from = Math.max(from, acknowledgedAt[index]!);
		} else {
			to = Math.min(to, acknowledgedAt[index]!);
		}
	}
	return { from, to };
}

function longestAnswer({ from, to }: Span, { sentAt, acknowledgedAt }: LoadReport): number {
	let longest = 0;
	for (const [index, at] of acknowledgedAt.entries()) {
		if (at >= from && sentAt[index]! <= to) {
			longest = Math.max(longest, at - sentAt[index]!);
		}
	}
	return longest;
}

/** How long answers, and times without one, are away from the switches. */
function usual(
	spans: readonly Span[],
	{ sentAt, acknowledgedAt, names }: LoadReport,
): Pick<Outcome, "usualAnswerMs" | "longestUsualGapMs"> {
	const isAway = (at: number) => spans.every(({ from, to }) => at < from || at > to + SETTLE_MS);
	const answers: number[] = [];
	let longestUsualGapMs = 0;
	for (const [index, at] of acknowledgedAt.entries()) {
		if (!isAway(at) || !isAway(sentAt[index]!)) {
			continue;
		}
		if (!names[index]!.startsWith("slow-")) {
			answers.push(at - sentAt[index]!);
		}
		const before = acknowledgedAt[index - 1];
		if (before !== undefined && isAway(before)) {
			longestUsualGapMs = Math.max(longestUsualGapMs, at - before);
		}
	}
	return {
		usualAnswerMs: { median: quantile(answers, 0.5), p99: quantile(answers, 0.99) },
		longestUsualGapMs,
	};
}
