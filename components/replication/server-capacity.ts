import type { ClientBase } from "pg";
import { error, type Finding, warning } from "./finding";

/** A setting that limits how many there may be of something on a server, and how many there are. */
export interface Limit {
	most: number;
	used: number;
}

/** What a server has for logical replication. */
export interface ServerCapacity {
	walLevel: string;
	replicationSlots: Limit;
	walSenders: Limit;
	logicalWorkers: Limit;
	replicationOrigins: Limit;
	workerProcesses: number;
	/** Bytes of its log that it keeps for a slot; null for as many as it takes. */
	keptWalBytes: number | null;
}

/** A server, and how many links will begin and end there that are not there yet. */
export interface ServerLoad {
	/** For messages, such as `the live colour's server`. */
	name: string;
	capacity: ServerCapacity;
	sends: number;
	receives: number;
}

/** Reads a server's settings and what of them is in use. */
export async function serverCapacity(client: ClientBase): Promise<ServerCapacity> {
	const { rows } = await client.query(
		`SELECT current_setting('wal_level') AS "walLevel",
			json_build_object('most', current_setting('max_replication_slots')::integer,
				'used', (SELECT count(*) FROM pg_replication_slots)) AS "replicationSlots",
			json_build_object('most', current_setting('max_wal_senders')::integer,
				'used', (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender')) AS "walSenders",
			-- A subscription whose worker has just failed wants it back.
			json_build_object('most', current_setting('max_logical_replication_workers')::integer,
				'used', greatest(
					(SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ '^logical replication .*worker$'),
					(SELECT count(*) FROM pg_subscription WHERE subenabled)
				)) AS "logicalWorkers",
			json_build_object('most', current_setting('max_active_replication_origins')::integer,
				'used', (SELECT count(*) FROM pg_replication_origin)) AS "replicationOrigins",
			current_setting('max_worker_processes')::integer AS "workerProcesses",
			(SELECT nullif(setting, '-1')::float8 * 1024 * 1024 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')
				AS "keptWalBytes"`,
	);
	return rows[0];
}

/** What a server lacks for the links that shall begin and end there. Pure. */
export function capacityFindings({ name, capacity, sends, receives }: ServerLoad): Finding[] {
	const { walLevel, workerProcesses, logicalWorkers } = capacity;
	const findings: Finding[] = [];
	if (walLevel !== "logical") {
		findings.push(
			error(`wal_level of ${name} is ${walLevel}`, "set wal_level = logical there and restart the server"),
		);
	}
	const limits: [string, string, Limit, number][] = [
		["replication slots", "max_replication_slots", capacity.replicationSlots, sends],
		["WAL senders", "max_wal_senders", capacity.walSenders, sends],
		["logical replication workers", "max_logical_replication_workers", logicalWorkers, receives],
		["replication origins", "max_active_replication_origins", capacity.replicationOrigins, receives],
	];
	for (const [what, setting, { most, used }, needed] of limits) {
		const free = Math.max(0, most - used);
		if (free < needed) {
			findings.push(
				error(
					`${name} has ${free} of its ${most} ${what} free, but ${needed} will be needed`,
					`raise ${setting} to at least ${used + needed} there and restart the server`,
				),
			);
		}
	}
	if (receives > 0 && workerProcesses <= logicalWorkers.most) {
		findings.push(
			warning(
				`max_worker_processes (${workerProcesses}) of ${name} leaves other processes no room beside the ` +
					`${logicalWorkers.most} of max_logical_replication_workers`,
				`raise it to at least ${logicalWorkers.most + 1} there and restart the server`,
			),
		);
	}
	return findings;
}
