import { noteColor, noteLive, noteSwitched, noteSwitchStarted } from "../catalog/blue-green";
import { finishRollback, type NewRollback, startRollback } from "../catalog/rollbacks";
import { withCatalog } from "../catalog/session";
import { BakeFailure, bake } from "../health/bake";
import type { CheckResult } from "../health/check-result";
import { HealthFailure } from "../health/pass-checks";
import { compareVersions } from "../migrations/migration";
import type { DeploymentContext } from "../pipeline/context";
import { StuckTraffic, TrafficReturned } from "../pipeline/deployment";
import { recordDurations } from "../pipeline/step-log";
import { nodeOf } from "../replication/environment";
import { resumeSubscription } from "../replication/link";
import { describeLag, linkState, withLink } from "../replication/link-state";
import { linkName, type Node, nodeName } from "../replication/node";
import { waitForArrival } from "./arrival";
import type { CutoverReport, Side } from "./cutover";
import { type Move, type MoveOptions, moveBack, moveTraffic } from "./move-traffic";
import { unlinkBack } from "./reverse-link";

export interface ReleaseTrafficOptions extends MoveOptions {
	/** What a new colour has to stand once it has the traffic. */
	bake: { seconds: number; maxErrorPercent: number; maxLatencyMs: number };
	/** Whether the colour has not stood its bake yet. */
	isNew: boolean;
	/** What is wrong at the public address; undefined when nothing is. */
	checkHealth(): Promise<string | undefined>;
	/**
	 * All checks of the live colour.
	 *
	 * @param patienceSeconds what can mend itself has for that
	 * @throws HealthFailure
	 */
	examine(patienceSeconds: number): Promise<CheckResult[]>;
	context: DeploymentContext;
	deploymentId: number;
}

/**
 * Gives a release the traffic, watches how it bears it, and writes all of that down. A new colour that does not stand
 * its bake loses the traffic again, with everything written meanwhile.
 *
 * @returns whether writes moved, and for how many milliseconds requests waited
 * @throws TrafficReturned when the traffic has gone back
 */
export async function releaseTraffic(
	options: ReleaseTrafficOptions,
): Promise<{ switched: boolean; pauseMs: number }> {
	const { servers, live, idle, isNew } = options;
	const node = nodeOf(servers, live.color, live.generation);
	await inCatalog(options, (client) =>
		noteColor(client, options.context.environment, node, live.release, "deploying"),
	);
	const isPutBack = idle !== undefined && compareVersions(live.release, idle.release) < 0;
	let rollback: number | undefined;
	let move: Move;
	try {
		move = await moveTraffic({
			...options,
			onCutover: async () => {
				await inCatalog(options, (client) => noteSwitchStarted(client, node));
				rollback = isPutBack && !isNew ? await openRollback(options, putBack(options)) : undefined;
			},
		});
	} catch (error) {
		await told(options, () => closeRollback(options, rollback, [], error));
		throw error;
	}
	// From here on the colour has the traffic: what cannot be written down must not keep it from being watched.
	await told(options, () => inCatalog(options, (client) => noteSwitched(client, node)));
	await told(options, () => closeRollback(options, rollback, move.report?.steps ?? []));
	await told(options, () => recordSteps(options, move.report));
	const health =
		isNew && move.previous !== undefined
			? await standBake(options, { node, target: live }, move.previous)
			: await lookAtLive(options);
	await told(options, () =>
		inCatalog(options, (client) =>
			noteLive(client, node, { status: "completed", rollback: isPutBack, health }),
		),
	);
	return { switched: move.what !== "routed", pauseMs: move.report?.pauseMs ?? 0 };
}

/** Links that were let go on need a moment for that. */
const SHORT_PATIENCE_SECONDS = 10;

/** What has the traffic keeps it where there is nowhere better to go: what is wrong with it is told. */
async function lookAtLive({ examine, log }: ReleaseTrafficOptions): Promise<readonly CheckResult[]> {
	try {
		return await examine(SHORT_PATIENCE_SECONDS);
	} catch (error) {
		if (!(error instanceof HealthFailure)) {
			throw error;
		}
		log(error.message);
		return error.results;
	}
}

async function standBake(
	options: ReleaseTrafficOptions,
	fresh: Side,
	previous: Side,
): Promise<readonly CheckResult[]> {
	const { router, live, idle, publicUrl, log, checkHealth } = options;
	if (idle !== undefined && idle.release !== live.release) {
		const timeoutMs = options.limits.healthTimeoutMs;
		await waitForArrival({ publicUrl, previous: idle.release, timeoutMs, log });
	}
	try {
		await bake({
			...options.bake,
			counters: () => router.traffic(live.targetGroup),
			checkHealth,
			checkReplication: () => wayBackFault(fresh.node, previous.node),
			log,
		});
		return await options.examine(options.limits.healthTimeoutMs / 1000);
	} catch (failure) {
		if (!(failure instanceof BakeFailure || failure instanceof HealthFailure)) {
			throw failure;
		}
		throw await withdraw(options, fresh, previous, failure);
	}
}

/** What keeps the colour before from following the new one. A lost connection stops a link that is watched: it is told to go on. */
async function wayBackFault(from: Node, to: Node): Promise<string | undefined> {
	return withLink(from, to, async (ends) => {
		const state = await linkState(ends);
		if (state.stopped) {
			await resumeSubscription(ends.to.client, linkName(from, to));
		}
		return state.fault ?? (state.streaming ? undefined : `${nodeName(to)} is ${describeLag(state)}`);
	});
}

/** Moves the traffic back first and writes that down after: an unreachable catalog must not keep it where it fails. */
async function withdraw(
	options: ReleaseTrafficOptions,
	fresh: Side,
	previous: Side,
	failure: unknown,
): Promise<Error> {
	const reason = messageOf(failure);
	let report: CutoverReport;
	try {
		report = await moveBack(options, fresh, previous);
		// What the next attempt migrates on the new colour must not be sent back over newer writes.
		await withLink(previous.node, fresh.node, unlinkBack);
	} catch (error) {
		await told(options, () => recordWithdrawal(options, previous.node, failure, [], error));
		return new StuckTraffic(`${reason}\nthe traffic could not go back: ${messageOf(error)}`, {
			cause: failure,
		});
	}
	await told(options, () => recordWithdrawal(options, previous.node, failure, report.steps));
	return new TrafficReturned(
		`${reason}\nthe traffic went back to ${nodeName(previous.node)}; requests waited ${report.pauseMs} ms and nothing was lost`,
		{ cause: failure },
	);
}

async function recordWithdrawal(
	options: ReleaseTrafficOptions,
	previous: Node,
	failure: unknown,
	steps: CutoverReport["steps"],
	error?: unknown,
): Promise<void> {
	const reason = messageOf(failure);
	const id = await openRollback(options, {
		deploymentId: options.deploymentId,
		type: "health_check_failure",
		reason: reason.slice(0, REASON_LENGTH),
		previousVersion: options.live.release,
		...(options.idle && { targetVersion: options.idle.release }),
	});
	await closeRollback(options, id, steps, error);
	if (error === undefined) {
		const health = failure instanceof HealthFailure ? failure.results : [{ check: reason, status: "FAIL" }];
		await inCatalog(options, (client) =>
			noteLive(client, previous, { status: "failed", rollback: true, health }),
		);
	}
}

async function told({ log }: ReleaseTrafficOptions, note: () => Promise<void>): Promise<void> {
	try {
		await note();
	} catch (error) {
		log(`the catalog could not be told: ${messageOf(error)}`);
	}
}

const REASON_LENGTH = 500;

function putBack({ deploymentId, live, idle }: ReleaseTrafficOptions): NewRollback {
	return {
		deploymentId,
		type: "manual",
		reason: `the release was put back to ${live.release}`,
		...(idle && { previousVersion: idle.release }),
		targetVersion: live.release,
	};
}

function openRollback(options: ReleaseTrafficOptions, rollback: NewRollback): Promise<number> {
	return inCatalog(options, (client) => startRollback(client, rollback));
}

async function closeRollback(
	options: ReleaseTrafficOptions,
	id: number | undefined,
	steps: CutoverReport["steps"],
	failure?: unknown,
): Promise<void> {
	if (id !== undefined) {
		await inCatalog(options, (client) =>
			finishRollback(client, id, {
				steps: steps.map(({ step, durationMs }) => ({ step, status: "completed", durationMs })),
				...(failure !== undefined && { error: messageOf(failure) }),
			}),
		);
	}
}

async function recordSteps(options: ReleaseTrafficOptions, report: CutoverReport | undefined): Promise<void> {
	if (report !== undefined) {
		const steps = report.steps.map(({ step, durationMs }) => ({ step: `cutover: ${step}`, durationMs }));
		await recordDurations(options.context, options.deploymentId, steps);
	}
}

function inCatalog<T>(
	{ context }: ReleaseTrafficOptions,
	work: Parameters<typeof withCatalog<T>>[2],
): Promise<T> {
	return withCatalog(context.catalog, "deployment-traffic", work);
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
