import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTextFile, writeFileAtomically } from "../../local/files";
import { LOOPBACK } from "../../local/port";
import { QUEUE_CONNECTIONS } from "../../queue/connections";
import type { Installation } from "./installation";
import type { LocalServerOptions } from "./server";

/** The content of pg_hba.conf. */
export const ACCESS_RULES = [
	"# Passwords over loopback, nothing else.",
	`host all         all ${LOOPBACK}/32 scram-sha-256`,
	`host replication all ${LOOPBACK}/32 scram-sha-256`,
	"",
].join("\n");

/** The settings that the deployment writes, which PostgreSQL reads after its own. */
export function configurationFile({ home }: Installation): string {
	return join(home, "data", "deployment.conf");
}

/** Connections kept for the deployment: migrations, catalog, copy workers, health checks. */
const OWN_CONNECTIONS = 60;

/** The content of that file. */
export function configuration(options: LocalServerOptions, port: number): string {
	return [
		"# Written by the deployment on every update; changes made here are lost.",
		`listen_addresses = '${LOOPBACK}'`,
		`port = ${port}`,
		"unix_socket_directories = ''",
		"password_encryption = 'scram-sha-256'",
		// Both colours may live on this server, each with its application's connections, and the queue of both.
		`max_connections = ${2 * options.maxConnections + QUEUE_CONNECTIONS + OWN_CONNECTIONS}`,
		"shared_preload_libraries = 'pg_stat_statements'",
		// It would keep the text of CREATE ROLE … PASSWORD.
		"pg_stat_statements.track_utility = off",
		"wal_level = logical",
		"max_wal_senders = 20",
		"max_replication_slots = 20",
		// A slot that nobody reads from must not fill the disk: it is given up before.
		"max_slot_wal_keep_size = '16GB'",
		"max_active_replication_origins = 20",
		"max_logical_replication_workers = 16",
		"max_worker_processes = 32",
		"timezone = 'UTC'",
		"log_timezone = 'UTC'",
		"",
	].join("\n");
}

/** Writes the server's settings; true when they differ from those written before. */
export function configure(installation: Installation, options: LocalServerOptions, port: number): boolean {
	const file = configurationFile(installation);
	const content = configuration(options, port);
	const main = join(installation.home, "data", "postgresql.conf");
	const include = "include_if_exists = 'deployment.conf'";
	const mainContent = readFileSync(main, "utf8");
	if (!mainContent.includes(include)) {
		writeFileAtomically(main, `${mainContent}\n${include}\n`, 0o644);
	}
	if (readTextFile(file) === content) {
		return false;
	}
	writeFileAtomically(file, content, 0o644);
	return true;
}
