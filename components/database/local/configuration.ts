import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readTextFile, writeFileAtomically } from "../../local/files";
import { LOOPBACK } from "../../local/port";
import { serverSettings } from "../server-settings";
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

/** The content of that file. */
export function configuration(options: LocalServerOptions, port: number): string {
	return [
		"# Written by the deployment on every update; changes made here are lost.",
		`listen_addresses = '${LOOPBACK}'`,
		`port = ${port}`,
		"unix_socket_directories = ''",
		...Object.entries(serverSettings(options.maxConnections, options.keptWalGigabytes)).map(
			([name, value]) => `${name} = '${value}'`,
		),
		// The deployment may not set it for itself, and some of its statements hold a password.
		...(options.withoutSuperuser ? ["log_min_error_statement = 'panic'"] : []),
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
