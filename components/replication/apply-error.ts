import type { Client } from "pg";

/** How much of the end of the server's log is looked through, in bytes. */
const TAIL_BYTES = 262_144;

/**
 * What PostgreSQL said when it could not apply a change of a subscription: message, detail and place, from the end of
 * the server's log, which is the only place that has it. Undefined where the log cannot be read through SQL, as on
 * managed servers.
 */
export async function applyError(client: Client, subscriptionOid: string): Promise<string | undefined> {
	const text = await logTail(client);
	return text === undefined ? undefined : findApplyError(text, subscriptionOid);
}

async function logTail(client: Client): Promise<string | undefined> {
	const { rows } = await client.query<{ data: string; log: string | null }>(
		"SELECT current_setting('data_directory') AS data, pg_current_logfile() AS log",
	);
	const [found] = rows;
	if (found === undefined) {
		return undefined;
	}
	// A server without a log collector is started with its log beside its data.
	const file = found.log ?? `${found.data}/../server.log`;
	const { rows: read } = await client.query<{ text: string | null }>(
		`SELECT convert_from(pg_read_binary_file($1, greatest(0, size - $2), $2, true), 'SQL_ASCII') AS text
		FROM pg_stat_file($1, true) WHERE size IS NOT NULL`,
		[file, TAIL_BYTES],
	);
	return read[0]?.text ?? undefined;
}

/** The last error in a server's log whose context names the replication origin of a subscription. */
export function findApplyError(log: string, subscriptionOid: string): string | undefined {
	const lines = log.split("\n");
	const at = lines.findLastIndex(
		(line) => line.includes("CONTEXT:") && line.includes(`replication origin "pg_${subscriptionOid}"`),
	);
	if (at === -1) {
		return undefined;
	}
	const start = lines.slice(0, at).findLastIndex((line) => /\b(ERROR|FATAL):/.test(line));
	if (start === -1) {
		return undefined;
	}
	const message = lines[start]?.replace(/^.*?\b(?:ERROR|FATAL):\s*/, "");
	const context = /message type "(\w+)" for replication target relation "([^"]+)"/.exec(lines[at] ?? "");
	const details = detailOf(lines.slice(start + 1, at));
	return [
		message,
		...(details === "" ? [] : [`(${details})`]),
		...(context === null ? [] : [`on ${context[1]} into ${context[2]}`]),
	].join(" ");
}

/** What follows DETAIL, which goes on in lines that begin with a tab. */
function detailOf(lines: readonly string[]): string {
	const first = lines.findIndex((line) => line.includes("DETAIL:"));
	if (first === -1) {
		return "";
	}
	const rest = lines.slice(first + 1);
	const end = rest.findIndex((line) => !line.startsWith("\t"));
	return [lines[first]!.replace(/^.*?DETAIL:\s*/, ""), ...(end === -1 ? rest : rest.slice(0, end))]
		.map((line) => line.trim())
		.join(" ");
}
