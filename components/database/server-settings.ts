import { queueConnections } from "../queue/connections";

/** Connections kept for the deployment: migrations, catalog, copy workers, health checks. */
const OWN_CONNECTIONS = 60;

/** Gigabytes of its log that a server keeps for a slot that nobody reads from, unless it is said otherwise. */
export const KEPT_WAL_GIGABYTES = 16;

/**
 * The settings that a server needs on which colours are copied from each other, wherever it runs, as PostgreSQL reads
 * them.
 *
 * @param maxConnections that one colour's application may hold
 * @param keptWalGigabytes of its log that it keeps for a slot that nobody reads from
 */
export function serverSettings(
	maxConnections: number,
	keptWalGigabytes: number = KEPT_WAL_GIGABYTES,
): Record<string, string> {
	return {
		password_encryption: "scram-sha-256",
		// Both colours may live on this server, each with its application's connections, and the queue of both.
		max_connections: String(2 * maxConnections + queueConnections(1) + OWN_CONNECTIONS),
		shared_preload_libraries: "pg_stat_statements",
		// It would keep the text of CREATE ROLE … PASSWORD.
		"pg_stat_statements.track_utility": "off",
		wal_level: "logical",
		max_wal_senders: "20",
		max_replication_slots: "20",
		// A slot that nobody reads from must not fill the disk: it is given up before.
		max_slot_wal_keep_size: `${keptWalGigabytes}GB`,
		max_active_replication_origins: "20",
		max_logical_replication_workers: "16",
		max_worker_processes: "32",
		timezone: "UTC",
		log_timezone: "UTC",
	};
}
