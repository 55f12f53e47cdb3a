import { type Client, escapeIdentifier } from "pg";
import { withClient } from "../database/connection";
import { poll } from "../local/deadline";
import { COPY_APPLICATION, type CopySessions } from "./copy-sessions";
import { type Node, nodeName } from "./node";

export interface SlotOptions {
	source: Node;
	slot: string;
	/** Milliseconds that making it may take. */
	slotTimeoutMs: number;
}

/** How often a slot in use is tried again, in milliseconds. */
const RETRY_MS = 100;
/** How long dropping a slot may take after a failure, when its copy's sessions are ending, in milliseconds. */
const DROP_TIMEOUT_MS = 10_000;
const OBJECT_IN_USE = "55006";
const NO_SUCH_OBJECT = "42704";

/**
 * Makes a logical slot and runs `work` with the name of a snapshot that shows exactly the rows as of which the slot
 * keeps changes. The snapshot can be imported for as long as `work` runs; transactions that imported it keep it.
 *
 * @throws Error naming the open transactions that making a slot has to wait for, when they do not end in time
 */
export async function withSlotSnapshot<T>(
	sessions: CopySessions,
	options: SlotOptions,
	work: (snapshot: string) => Promise<T>,
): Promise<T> {
	const exporter = await sessions.replication(options.source);
	const snapshot = await createSlot(exporter, options);
	const result = await work(snapshot);
	await sessions.end(exporter);
	return result;
}

async function createSlot(exporter: Client, options: SlotOptions): Promise<string> {
	const { source, slot, slotTimeoutMs } = options;
	const { rows: backends } = await exporter.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
	const creation = exporter.query<{ snapshot_name: string }>(
		`CREATE_REPLICATION_SLOT ${escapeIdentifier(slot)} LOGICAL pgoutput (SNAPSHOT 'export')`,
	);
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<undefined>((resolve) => {
		timer = setTimeout(() => resolve(undefined), slotTimeoutMs);
	});
	try {
		const created = await Promise.race([creation, late]);
		if (created !== undefined) return created.rows[0]!.snapshot_name;
	} finally {
		clearTimeout(timer);
	}
	creation.catch(() => {});
	const waitedFor = await giveUp(source, backends[0]!.pid);
	throw new Error(
		`the slot ${slot} could not be made on ${nodeName(source)} within ${slotTimeoutMs / 1000} s, because the whole ` +
			`server's writing transactions have to end first: ${waitedFor.join("; ") || "none is open any more"}. ` +
			"End them, or raise the time limit of the slot",
	);
}

/** Ends the session that waits, which does not look whether it is still wanted. Returns what it waits for. */
async function giveUp(source: Node, pid: number): Promise<string[]> {
	return withClient(source.admin, { applicationName: COPY_APPLICATION }, async (client) => {
		const { rows } = await client.query<{ line: string }>(
			`SELECT format('pid %s (user %s, application %s, database %s, open for %s s)', pid, coalesce(usename, backend_type),
					quote_ident(application_name), datname, floor(extract(epoch FROM clock_timestamp() - xact_start))) AS line,
				xact_start AS began
			FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> $1
			UNION ALL
			SELECT format('prepared transaction %L (user %s, database %s, open for %s s)', gid, owner, database,
					floor(extract(epoch FROM clock_timestamp() - prepared))), prepared
			FROM pg_prepared_xacts
			ORDER BY began`,
			[pid],
		);
		await client.query("SELECT pg_terminate_backend($1)", [pid]);
		return rows.map(({ line }) => line);
	});
}

/**
 * Drops a slot if there is one. One that a killed copy was still waiting for is taken from it.
 *
 * @param timeoutMs milliseconds until a slot that stays in use is left alone
 * @throws Error naming the session that uses the slot
 */
export async function dropSlot(source: Node, slot: string, timeoutMs = DROP_TIMEOUT_MS): Promise<void> {
	await withClient(source.replication, { applicationName: COPY_APPLICATION }, async (client) => {
		const dropped = await poll(timeoutMs, RETRY_MS, async () => {
			await client.query(
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_replication_slots ON active_pid = pid
				WHERE slot_name = $1 AND application_name = $2 AND usename = current_user`,
				[slot, COPY_APPLICATION],
			);
			try {
				await client.query(
					"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
					[slot],
				);
				return true;
			} catch (error) {
				const { code } = error as { code?: string };
				if (code === OBJECT_IN_USE) return undefined;
				if (code === NO_SUCH_OBJECT) return true;
				throw error;
			}
		});
		if (dropped) return;
		const { rows } = await client.query<{ user: string }>(
			`SELECT format('pid %s (%s)', pid, coalesce(quote_ident(application_name), 'unnamed')) AS user
			FROM pg_stat_activity JOIN pg_replication_slots ON active_pid = pid WHERE slot_name = $1`,
			[slot],
		);
		throw new Error(
			`the slot ${slot} on ${nodeName(source)} is still used by ${rows[0]?.user ?? "a session"}: end it, or drop the ` +
				"subscription that reads from it",
		);
	});
}

/** @throws Error when the server has thrown away changes that the slot was to keep */
export async function assertSlotIsWhole(client: Client, { source, slot }: SlotOptions): Promise<void> {
	const { rows } = await client.query<{ wal_status: string | null }>(
		"SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1",
		[slot],
	);
	const status = rows[0]?.wal_status;
	if (status === undefined || status === null || status === "lost") {
		throw new Error(
			`the slot ${slot} on ${nodeName(source)} ${rows.length === 0 ? "is gone" : "was lost"} while rows were copied: ` +
				"raise max_slot_wal_keep_size there, or copy at a quieter time",
		);
	}
}
