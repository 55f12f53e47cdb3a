import type { ClientBase } from "pg";
import { z } from "zod";

const linkSchema = z.object({
	/** The slot's name, which the publication and the subscription have as well. */
	name: z.string(),
	/** The generation whose changes it brings, and the one that gets them. */
	from: z.coerce.number(),
	to: z.coerce.number(),
	/** Whether the other side reads from it now. */
	active: z.boolean(),
	/** `lost` when more had to be kept for it than the server may keep. */
	walStatus: z.string().nullable(),
	/** Bytes of the log that the other side has not confirmed to have applied. */
	lagBytes: z.number(),
	/** Seconds that the last change took to be applied; null while nothing changes. */
	lagSeconds: z.number().nullable(),
});

/** One colour keeping another in step, as its own server sees it. */
export type ReplicationLink = z.infer<typeof linkSchema>;

/** The links that begin on a server, read by a role that may see its statistics. */
export async function readReplication(client: ClientBase): Promise<ReplicationLink[]> {
	const { rows } = await client.query(
		`SELECT slot_name AS name, active, wal_status AS "walStatus",
			substring(slot_name FROM '_(\\d+)_to_\\d+$') AS from, substring(slot_name FROM '_to_(\\d+)$') AS to,
			greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, confirmed_flush_lsn)))::float8
				AS "lagBytes",
			extract(epoch FROM replay_lag)::float8 AS "lagSeconds"
		FROM pg_replication_slots LEFT JOIN pg_stat_replication ON pid = active_pid
		WHERE slot_name ~ '_\\d+_to_\\d+$' ORDER BY slot_name`,
	);
	return z.array(linkSchema).parse(rows);
}
