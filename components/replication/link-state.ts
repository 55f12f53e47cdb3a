import type { Client } from "pg";
import { poll } from "../local/deadline";
import { hasMarker, leaveMarker } from "../traffic/write-fence";
import { applyError } from "./apply-error";
import { resumeSubscription, stopOnError } from "./link";
import { linkName, type Node, nodeName, withNode } from "./node";

/** How far a link is, and whether it is going on. */
export interface LinkState {
	/** What keeps it from going on, in words; undefined while it does. */
	fault?: string;
	/** Whether it has stopped on an error of the data, and goes on only when it is told to. */
	stopped: boolean;
	/** Changes are arriving now: its worker runs and has reached the other side. */
	streaming: boolean;
	/** Bytes of the source's log that the other side has not yet confirmed to have applied. */
	lagBytes: number;
	/** Seconds that the last change took to be applied on the other side; undefined while nothing changes. */
	lagSeconds?: number;
}

/** Both ends of a link, connected. */
export interface LinkEnds {
	from: { node: Node; client: Client };
	to: { node: Node; client: Client };
}

/** Connects to both ends of a link for as long as `work` lasts. */
export function withLink<T>(from: Node, to: Node, work: (ends: LinkEnds) => Promise<T>): Promise<T> {
	const purpose = "deployment-replication";
	return withNode(from, purpose, (source) =>
		withNode(to, purpose, (target) =>
			work({ from: { node: from, client: source }, to: { node: to, client: target } }),
		),
	);
}

/** Looks at a link from both sides. */
export async function linkState({ from, to }: LinkEnds): Promise<LinkState> {
	const name = linkName(from.node, to.node);
	const [source, target] = await Promise.all([sourceState(from.client, name), targetState(to.client, name)]);
	const fault = await faultOf(name, source, target, to.client);
	return {
		...(fault !== undefined && { fault }),
		stopped: target?.enabled === false,
		streaming: target?.worker === true && source?.active === true,
		lagBytes: source?.lagBytes ?? Number.POSITIVE_INFINITY,
		...(source?.lagSeconds !== undefined && { lagSeconds: source.lagSeconds }),
	};
}

interface SourceState {
	active: boolean;
	walStatus: string;
	lagBytes: number;
	lagSeconds: number | undefined;
}

async function sourceState(client: Client, name: string): Promise<SourceState | undefined> {
	const { rows } = await client.query(
		`SELECT slot.active, wal_status, extract(epoch FROM replay_lag)::float8 AS seconds,
			pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, confirmed_flush_lsn))::float8 AS bytes
		FROM pg_replication_slots AS slot LEFT JOIN pg_stat_replication ON pid = active_pid WHERE slot_name = $1`,
		[name],
	);
	const row = rows[0];
	return (
		row && {
			active: row.active,
			walStatus: row.wal_status,
			lagBytes: Math.max(0, row.bytes ?? 0),
			lagSeconds: row.seconds ?? undefined,
		}
	);
}

interface TargetState {
	oid: string;
	enabled: boolean;
	worker: boolean;
}

async function targetState(client: Client, name: string): Promise<TargetState | undefined> {
	const { rows } = await client.query(
		`SELECT sub.oid::text, subenabled, stat.pid IS NOT NULL AS worker
		FROM pg_subscription AS sub
			LEFT JOIN pg_stat_subscription AS stat ON stat.subid = sub.oid AND stat.worker_type = 'apply'
		WHERE sub.subname = $1 AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		[name],
	);
	const row = rows[0];
	return row && { oid: row.oid, enabled: row.subenabled, worker: row.worker };
}

async function faultOf(
	name: string,
	source: SourceState | undefined,
	target: TargetState | undefined,
	targetClient: Client,
): Promise<string | undefined> {
	if (source === undefined) {
		return `the replication slot ${name} is gone`;
	}
	if (source.walStatus === "lost") {
		return `the replication slot ${name} has lost changes: more were kept for it than max_slot_wal_keep_size allows`;
	}
	if (target === undefined) {
		return `the subscription ${name} is gone`;
	}
	if (target.enabled) {
		return undefined;
	}
	const why = await applyError(targetClient, target.oid);
	return `the subscription ${name} stopped on an error: ${why ?? "the server's log says which"}`;
}

/** A link of which a part is gone, or changes that it was to bring: only a new copy brings the colour in step again. */
export class LostLink extends Error {
	override readonly name = "LostLink";
}

const POLL_MS = 20;
const TOLD_EVERY_MS = 2000;

/**
 * Waits until a link goes on and a change made now arrives at once.
 *
 * @param maxLagBytes the lag that counts as caught up
 * @param timeoutMs milliseconds
 * @throws Error with the server's own message when the link stops, or with the lag when it does not catch up in time
 * @throws LostLink
 */
export async function catchUp(
	ends: LinkEnds,
	limits: { maxLagBytes: number; timeoutMs: number },
	log: (line: string) => void,
): Promise<LinkState> {
	const { from, to } = ends;
	const started = performance.now();
	const what = `${nodeName(to.node)} catching up with ${nodeName(from.node)}`;
	let told = started;
	let resumed = false;
	const name = linkName(from.node, to.node);
	await stopOnError(to.client, name, true);
	const marker = await leaveMarker(from.client);
	let last: LinkState | undefined;
	const done = await poll(limits.timeoutMs, POLL_MS, async () => {
		last = await linkState(ends);
		if (last.fault !== undefined) {
			if (!last.stopped) {
				throw new LostLink(`${what}: ${last.fault}`);
			}
			if (resumed) {
				throw new Error(`${what}: ${last.fault}`);
			}
			// It may have been a deadlock, or something that was mended since.
			resumed = true;
			log(`${what}: ${last.fault}; trying once more`);
			await resumeSubscription(to.client, name);
			return undefined;
		}
		if (last.lagBytes <= limits.maxLagBytes && (await hasMarker(to.client, marker))) {
			return last;
		}
		if (performance.now() - told > TOLD_EVERY_MS) {
			told = performance.now();
			log(`${what}: ${describeLag(last)}, ${Math.round((told - started) / 1000)} s`);
		}
		return undefined;
	});
	if (done === undefined) {
		const lag = last === undefined ? "" : `: ${describeLag(last)}`;
		throw new Error(`${what} did not come to an end within ${Math.round(limits.timeoutMs / 1000)} s${lag}`);
	}
	return done;
}

/** A link that has lost its connection is back after this long, in milliseconds. */
const RESTART_MS = 8000;
const LOOK_MS = 200;
/** One that cannot apply a change streams for a moment each time that it tries. */
const STEADY_LOOKS = 3;

/**
 * Whether a link goes on by itself. One that is just not connected is given the time to come back. Changes nothing, so
 * that of a link which is lost for good, and which no update can mend, the answer is yes.
 */
export async function goesOn(ends: LinkEnds): Promise<boolean> {
	let looks = 0;
	let wanted = 1;
	const going = await poll(RESTART_MS, LOOK_MS, async () => {
		const { fault, stopped, streaming } = await linkState(ends);
		if (fault !== undefined) {
			return !stopped;
		}
		looks = streaming ? looks + 1 : 0;
		if (!streaming) {
			wanted = STEADY_LOOKS;
		}
		return looks >= wanted || undefined;
	});
	return going ?? false;
}

/** The lag in words, such as `1.2 MB and 0.4 s behind`. */
export function describeLag({ lagBytes, lagSeconds, streaming }: LinkState): string {
	if (!Number.isFinite(lagBytes)) {
		return "not connected";
	}
	const megabytes = `${(lagBytes / 1e6).toFixed(1)} MB`;
	const seconds = lagSeconds === undefined ? "" : ` and ${lagSeconds.toFixed(1)} s`;
	return `${megabytes}${seconds} behind${streaming ? "" : ", not connected"}`;
}
