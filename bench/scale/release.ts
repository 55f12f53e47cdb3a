import { setTimeout as sleep } from "node:timers/promises";
import { dropLink } from "../../components/replication/link";
import { catchUp, type LinkState, linkState, withLink } from "../../components/replication/link-state";
import { linkName, nodeName } from "../../components/replication/node";
import { type CutoverReport, cutover, type Side } from "../../components/traffic/cutover";
import { type ColorDatabase, type ColorDatabases, follow, makeColor, query } from "../cutover/databases";
import { LIMITS } from "../cutover/switches";
import { type Fate, fateOf } from "./fate";
import { LogMeter } from "./log-meter";
import { Writer, type WriterPhase } from "./writer";

/** As a stack has them unless it says otherwise. */
export const WORKERS = 4;
const VERIFICATION = "checksums";
const COPY_TIMEOUT_MS = 3_600_000;
/** How long the writers are watched before the copy and after it. */
const WATCH_MS = 5000;
const LOOK_MS = 250;
/** Half of them in each direction, so that the first colour is live at the end. */
const SWITCHES = 6;
/** The one that a database begins with. */
const CAMERA_ID = 1;
const BETWEEN_SWITCHES_MS = 500;

/** What a release does to a database of some size under some load. */
export interface Release {
	databases: ColorDatabases;
	/** The live colour. */
	live: ColorDatabase;
	/** Transactions each second. */
	perSecond: number;
	/** Of the table that is written. */
	lastId: number;
}

export interface ReleaseFigures {
	perSecond: number;
	/** From making the slot until rows, indexes and statistics are there and compared. */
	copySeconds: number;
	/** Bytes of log written meanwhile. */
	sourceLog: number;
	targetLog: number;
	/** The most bytes of log that the slot kept, from its making until the colour was in step. */
	mostKept: number;
	/** Transactions, and bytes of log, that waited when the copy was done. */
	behindTransactions: number;
	behindBytes: number;
	/** From then on until the new colour had everything. */
	catchUpSeconds: number;
	/** Of the writers: before the copy, during it, while the new colour catches up, and while it follows. */
	before: WriterPhase;
	during: WriterPhase;
	catchingUp: WriterPhase;
	inStep: WriterPhase;
	/** While the new colour follows, looked at a few times each second. */
	lagBytes: number[];
	/** By the cutover's own clock, in milliseconds. */
	ownPauses: number[];
	/** From the last write acknowledged by one colour to the first by the other, in milliseconds. */
	pauses: number[];
	fate: Fate;
}

/** Copies the live colour while it is written, lets the copy catch up, moves the writers to and fro, and drops it. */
export async function measureRelease(
	release: Release,
	tell: (line: string) => void,
): Promise<ReleaseFigures> {
	const { databases, live, perSecond, lastId } = release;
	const idle = await makeColor(databases, "green");
	const [blue, green] = [live, idle].map(({ node }): Side => ({ node, target: targetOf(node) }));
	const run = nodeName(idle.node);
	const writer = await Writer.start({
		connections: {
			[blue!.target.targetGroup]: live.application,
			[green!.target.targetGroup]: idle.application,
		},
		target: blue!.target.targetGroup,
		perSecond,
		cameraId: CAMERA_ID,
		lastId,
		run,
	});
	try {
		await writer.phase("before");
		await sleep(WATCH_MS);
		const copied = await copyUnderWrites(databases, live, idle, writer);
		tell(`copied in ${copied.copySeconds.toFixed(1)} s, in step ${copied.catchUpSeconds.toFixed(1)} s later`);
		await writer.phase("in step");
		const lagBytes = await watchLag(live, idle);
		await writer.phase("switches");
		const reports = await switchToAndFro(blue!, green!, writer);
		const { phases, pauses, inserted, failures } = await writer.stop();
		await withLink(live.node, idle.node, (ends) =>
			catchUp(ends, { ...LIMITS, timeoutMs: LIMITS.catchUpTimeoutMs }, () => {}),
		);
		const during = phases.copy!;
		return {
			perSecond,
			...copied,
			behindTransactions: during.latencies.length,
			before: phases.before!,
			during,
			catchingUp: phases["catch up"]!,
			inStep: phases["in step"]!,
			lagBytes,
			ownPauses: reports.map(({ pauseMs }) => pauseMs),
			pauses,
			fate: await fateOf({ run, cameraId: CAMERA_ID, inserted, failures }, live.node.admin, idle.node.admin),
		};
	} finally {
		writer.end();
		await dropLink(live.node, idle.node);
		await dropLink(idle.node, live.node);
		await query(databases.servers.green, `DROP DATABASE ${idle.node.admin.database} WITH (FORCE)`);
	}
}

function targetOf(node: ColorDatabase["node"]): Side["target"] {
	return { targetGroup: nodeName(node), url: "" };
}

type Copied = Pick<
	ReleaseFigures,
	"copySeconds" | "sourceLog" | "targetLog" | "mostKept" | "behindBytes" | "catchUpSeconds"
>;

async function copyUnderWrites(
	databases: ColorDatabases,
	live: ColorDatabase,
	idle: ColorDatabase,
	writer: Writer,
): Promise<Copied> {
	for (const server of [databases.servers.blue, databases.servers.green]) await query(server, "CHECKPOINT");
	const meter = await LogMeter.start(live.node, idle.node, linkName(live.node, idle.node));
	const at: Record<string, number> = {};
	const log: Record<string, { source: number; target: number }> = {};
	let behindBytes = 0;
	try {
		await follow(databases, live, idle, {
			workers: WORKERS,
			verification: VERIFICATION,
			copyTimeoutMs: COPY_TIMEOUT_MS,
			catchUpTimeoutMs: COPY_TIMEOUT_MS,
			step: async (name) => {
				if (name !== "slot" && name !== "subscription") return;
				await writer.phase(name === "slot" ? "copy" : "catch up");
				at[name] = performance.now();
				log[name] = await meter.written();
				if (name === "subscription") behindBytes = await meter.waiting();
			},
		});
		const inStepAt = performance.now();
		return {
			copySeconds: (at.subscription! - at.slot!) / 1000,
			sourceLog: log.subscription!.source - log.slot!.source,
			targetLog: log.subscription!.target - log.slot!.target,
			mostKept: meter.mostKept,
			behindBytes,
			catchUpSeconds: (inStepAt - at.subscription!) / 1000,
		};
	} finally {
		await meter.stop();
	}
}

async function watchLag(live: ColorDatabase, idle: ColorDatabase): Promise<number[]> {
	return withLink(live.node, idle.node, async (ends) => {
		const states: LinkState[] = [];
		for (let passed = 0; passed < WATCH_MS; passed += LOOK_MS) {
			states.push(await linkState(ends));
			await sleep(LOOK_MS);
		}
		return states.map(({ lagBytes }) => lagBytes);
	});
}

async function switchToAndFro(blue: Side, green: Side, router: Writer): Promise<CutoverReport[]> {
	const reports: CutoverReport[] = [];
	for (let count = 0; count < SWITCHES; count++) {
		const [from, to] = count % 2 === 0 ? [blue, green] : [green, blue];
		reports.push(await cutover({ from, to, router, limits: LIMITS, log: () => {} }));
		await sleep(BETWEEN_SWITCHES_MS);
	}
	return reports;
}
