import { setTimeout as sleep } from "node:timers/promises";
import { poll } from "../local/deadline";
import { type LinkEnds, withLink } from "../replication/link-state";
import { type Node, nodeName, withNode } from "../replication/node";
import { advanceSequences, type SharedSequence, sharedSequences } from "../replication/sequences";
import { type GuardLimits, guard, StuckTraffic } from "./guardrails";
import { cleanUp, linkBack, unlinkBack } from "./reverse-link";
import type { Router, Target } from "./routing";
import { closeFence, fenceState, hasMarker, keepFenceClosed, openFence } from "./write-fence";

/** A colour and what carries its traffic. */
export interface Side {
	node: Node;
	target: Target;
}

export interface CutoverLimits extends GuardLimits {
	/** Milliseconds to wait for open writing transactions when the slot of the way back is made. */
	slotTimeoutMs: number;
	/** Milliseconds that clients may have to wait at the most; past it everything is put back. */
	pauseTimeoutMs: number;
}

/** What a cutover needs of a router. */
export type CutoverRouter = Pick<Router, "active" | "prepare" | "hold" | "route" | "release">;

export interface CutoverOptions {
	from: Side;
	to: Side;
	/** Other colours that follow `from`: they go on following it, with what comes from `to` as well. */
	followers?: readonly Node[];
	router: CutoverRouter;
	limits: CutoverLimits;
	log(line: string): void;
	/** Told the name of each step before it begins. */
	step?(name: string): void;
}

export interface CutoverReport {
	/** Milliseconds from the first request that waited to the last one let go. */
	pauseMs: number;
	/** In their order. */
	steps: { step: string; durationMs: number }[];
}

/** What the hold lasts beyond the pause's own deadline, in milliseconds. */
const HOLD_MARGIN_MS = 3000;
/** The part of the pause that requests in flight may take; after it those that have not begun to write are refused. */
const DRAIN_SHARE = 0.2;
const MARKER_POLL_MS = 1;
const ROUTE_RETRY_MS = 100;

/**
 * Moves reads and writes from one colour to the other, so that no acknowledged write is lost and none is doubled:
 * new requests wait at the router, writes on the old side are refused, the last of them arrives on the new side,
 * sequences go on there, it is opened, requests go there. The way back is in place before the first of them.
 *
 * @throws Error naming the step that failed; everything is then as it was
 * @throws StuckTraffic when it could not be put back: a second run finds out what holds and goes on from there
 */
export async function cutover(options: CutoverOptions): Promise<CutoverReport> {
	const { from, to, log } = options;
	const steps = new StepTimes(options.step);
	return withLink(from.node, to.node, async (ends) => {
		await steps.run("guard", () => guard({ ends, target: to.target, ...options }));
		const madeWayBack = await steps.run("way back", () => linkBack(ends, options));
		try {
			const move = await planMove(ends);
			const started = performance.now();
			await pause(ends, options, steps, move);
			const pauseMs = Math.round((performance.now() - started) * 10) / 10;
			log(`traffic moved from ${nodeName(from.node)} to ${nodeName(to.node)}; requests waited ${pauseMs} ms`);
			return { pauseMs, steps: steps.done };
		} catch (error) {
			if (madeWayBack && !(error instanceof StuckTraffic)) {
				await cleanUp(() => unlinkBack(ends), log);
			}
			throw error;
		}
	}).catch((error: unknown) => {
		throw steps.name(error);
	});
}

/** What is known of a move of the writes before it begins: requests need not wait while it is asked. */
interface Move {
	sequences: readonly SharedSequence[];
	/** Of the side that the writes leave, to which it is opened again should they have to stay. */
	epochBefore: number;
	/** Of the side that the writes go to. */
	epoch: number;
}

async function planMove({ from, to }: LinkEnds): Promise<Move> {
	const sequences = await sharedSequences(from.client, to.client);
	const [before, there] = await Promise.all([fenceState(from.client), fenceState(to.client)]);
	const epochBefore = before?.epoch ?? 0;
	return { sequences, epochBefore, epoch: Math.max(epochBefore, there?.epoch ?? 0) + 1 };
}

/** Everything that happens while requests wait. */
async function pause(ends: LinkEnds, options: CutoverOptions, steps: StepTimes, move: Move): Promise<void> {
	const { router, limits, to, log } = options;
	const deadline = performance.now() + limits.pauseTimeoutMs;
	const { holdId } = await steps.run("hold", () =>
		router.hold({
			timeoutMs: limits.pauseTimeoutMs + HOLD_MARGIN_MS,
			waitForIdleMs: Math.floor(limits.pauseTimeoutMs * DRAIN_SHARE),
		}),
	);
	try {
		await moveWrites(ends, deadline, steps, move);
		try {
			await steps.run("route", () => routeWithin(router, to.target, limits.pauseTimeoutMs));
		} catch (error) {
			const failure = await moveWritesBack(ends, limits, move, error);
			await assertRoutedBack(options, failure);
			throw failure;
		}
	} finally {
		// Should that fail, the hold ends by itself.
		await steps
			.run("release", () => router.release(holdId))
			.catch((error) => log(`release: ${messageOf(error)}`));
	}
}

/** Closes the one side and opens the other, once it has everything. Before the opening, a failure opens the first again. */
async function moveWrites(
	ends: LinkEnds,
	deadline: number,
	steps: StepTimes,
	{ sequences, epochBefore, epoch }: Move,
): Promise<void> {
	const { from, to } = ends;
	const left = () => Math.max(1, deadline - performance.now());
	try {
		const marker = await steps.run("close", () => closeFence(from.client, left() + HOLD_MARGIN_MS, left()));
		await steps.run("last write", () =>
			Promise.all([untilMarked(ends, marker, left()), advanceSequences(from.client, to.client, sequences)]),
		);
		await steps.run("keep closed", async () => {
			if (!(await keepFenceClosed(from.client))) {
				throw new Error(`it took too long: ${nodeName(from.node)} accepts writes again`);
			}
		});
	} catch (error) {
		await reopen(ends, epochBefore, error);
		throw error;
	}
	await steps.run("open", () => openSurely(ends, epoch, epochBefore));
}

async function untilMarked({ from, to }: LinkEnds, marker: string, timeoutMs: number): Promise<void> {
	const arrived = await poll(
		timeoutMs,
		MARKER_POLL_MS,
		async () => (await hasMarker(to.client, marker)) || undefined,
	);
	if (arrived === undefined) {
		throw new Error(
			`the last write on ${nodeName(from.node)} has not arrived on ${nodeName(to.node)} after ${Math.round(timeoutMs)} ms`,
		);
	}
}

async function reopen({ from }: LinkEnds, epoch: number, failure: unknown): Promise<void> {
	try {
		// Its connection may be what was lost.
		await withNode(from.node, "deployment-traffic", (client) => openFence(client, epoch));
	} catch (error) {
		throw new StuckTraffic(
			`${messageOf(failure)}\n${nodeName(from.node)} could not be opened again (${messageOf(error)}): run the update again`,
			{ cause: failure },
		);
	}
}

/** Opens the new side. When its connection is lost over that, nobody knows whether it is open: it is asked anew. */
async function openSurely(ends: LinkEnds, epoch: number, epochBefore: number): Promise<void> {
	try {
		await openFence(ends.to.client, epoch);
	} catch (error) {
		const isOpen = await withLink(ends.from.node, ends.to.node, async ({ to }) => {
			// Waits for the statement that was lost, should it still be on its way.
			await to.client.query("SELECT FROM deployment.write_fence FOR UPDATE");
			return (await fenceState(to.client))?.open;
		}).catch((unreachable: unknown) => {
			throw new StuckTraffic(
				`${messageOf(error)}\nwhether ${nodeName(ends.to.node)} is open cannot be asked (${messageOf(unreachable)}): ` +
					"writes are refused until the update is run again",
				{ cause: error },
			);
		});
		if (isOpen !== true) {
			await reopen(ends, epochBefore, error);
			throw error;
		}
	}
}

async function routeWithin(router: CutoverRouter, target: Target, timeoutMs: number): Promise<void> {
	const deadline = performance.now() + timeoutMs;
	for (;;) {
		try {
			await router.route(target);
			return;
		} catch (error) {
			if (performance.now() > deadline) {
				throw error;
			}
			await sleep(ROUTE_RETRY_MS);
		}
	}
}

/** A route that was refused or not answered may have been taken all the same. */
async function assertRoutedBack({ router, from, to }: CutoverOptions, failure: Error): Promise<void> {
	try {
		await router.route(from.target);
	} catch (error) {
		if ((await router.active())?.targetGroup === to.target.targetGroup) {
			throw new StuckTraffic(
				`${messageOf(failure)}\nthe router goes to ${nodeName(to.node)} and does not go back (${messageOf(error)}): run the update again`,
				{ cause: failure },
			);
		}
	}
}

/** The router does not move: the writes go back to where it sends the requests. */
async function moveWritesBack(
	{ from, to }: LinkEnds,
	limits: CutoverLimits,
	{ sequences, epoch }: Move,
	failure: unknown,
): Promise<Error> {
	try {
		const deadline = performance.now() + limits.pauseTimeoutMs;
		const back: Move = { sequences, epochBefore: epoch, epoch: epoch + 1 };
		await moveWrites({ from: to, to: from }, deadline, new StepTimes(), back);
		return failure instanceof Error ? failure : new Error(String(failure));
	} catch (error) {
		return new StuckTraffic(
			`${messageOf(failure)}\nthe writes could not go back to ${nodeName(from.node)} (${messageOf(error)}): run the update again`,
			{ cause: failure },
		);
	}
}

/** How long each step took, and which one it was when something failed. */
class StepTimes {
	readonly done: { step: string; durationMs: number }[] = [];
	private failed: string | undefined;

	constructor(private readonly tell?: (name: string) => void) {}

	async run<T>(step: string, work: () => Promise<T>): Promise<T> {
		this.tell?.(step);
		const started = performance.now();
		try {
			return await work();
		} catch (error) {
			this.failed ??= step;
			throw error;
		} finally {
			this.done.push({ step, durationMs: Math.round((performance.now() - started) * 10) / 10 });
		}
	}

	name(error: unknown): unknown {
		if (error instanceof Error && this.failed !== undefined) {
			error.message = `cutover step "${this.failed}": ${error.message}`;
		}
		return error;
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
