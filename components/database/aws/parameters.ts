import { queueConnections } from "../../queue/connections";

export interface ServerParameter {
	name: string;
	value: string;
	/** When a change takes effect: at once, or when the server starts next. */
	applyMethod: "immediate" | "pending-reboot";
}

/** Connections kept for the deployment: migrations, catalog, copy workers, health checks; and for RDS itself. */
const OWN_CONNECTIONS = 80;
/** Of the disk: a slot that nobody reads from must not fill it. */
const KEPT_WAL_SHARE = 4;

/**
 * Connections that a server takes.
 *
 * @param maxConnections that one colour's application may hold
 * @param tasks of each service at most
 */
export function allConnections(maxConnections: number, tasks: number): number {
	return 2 * maxConnections + queueConnections(tasks) + OWN_CONNECTIONS;
}

/**
 * What a server needs on which colours are copied from each other, as RDS's parameter groups name it.
 *
 * @param maxConnections that one colour's application may hold
 * @param storageGigabytes of the server's disk, of which forsaken slots get a quarter at most
 * @param keptWalGigabytes of its log that it keeps for them
 * @param tasks of each service at most
 */
export function serverParameters(
	maxConnections: number,
	storageGigabytes: number,
	keptWalGigabytes: number,
	tasks: number,
): ServerParameter[] {
	// In megabytes, as PostgreSQL has it.
	const keptWal = Math.floor(Math.min(keptWalGigabytes, storageGigabytes / KEPT_WAL_SHARE) * 1024);
	const atStart = {
		// Sets wal_level to logical, which cannot be set by itself there.
		"rds.logical_replication": "1",
		"rds.force_ssl": "1",
		shared_preload_libraries: "pg_stat_statements",
		max_connections: String(allConnections(maxConnections, tasks)),
		max_wal_senders: "20",
		max_replication_slots: "20",
		max_logical_replication_workers: "16",
		max_worker_processes: "32",
	};
	const atOnce = {
		password_encryption: "scram-sha-256",
		max_slot_wal_keep_size: String(keptWal),
		// It would keep the text of CREATE ROLE … PASSWORD.
		"pg_stat_statements.track_utility": "0",
		// A statement that fails may hold a password, and so may a slow one: the log quotes neither. Which are slow is
		// seen in pg_stat_statements and in Performance Insights.
		log_min_error_statement: "panic",
		log_min_duration_statement: "-1",
	};
	const listed = (values: Record<string, string>, applyMethod: ServerParameter["applyMethod"]) =>
		Object.entries(values).map(([name, value]) => ({ name, value, applyMethod }));
	return [...listed(atStart, "pending-reboot"), ...listed(atOnce, "immediate")];
}
