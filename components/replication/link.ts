import { type Client, type ClientBase, escapeIdentifier, escapeLiteral } from "pg";
import type { Connection } from "../database/connection";
import { poll } from "../local/deadline";
import { linkName, type Node, withNode } from "./node";
import { qualifiedName, type ReplicatedTable } from "./tables";

/**
 * A link keeps one colour (`to`) in step with another (`from`): a publication and a slot on the one side, a subscription
 * on the other, all of the same name. Two links, one each way, do not echo: `origin = none` leaves out what a link brought.
 */

const APPLICATION = "deployment-replication";
/** How long a walsender may take to let go of its slot, in milliseconds. */
const SLOT_RELEASE_MS = 15_000;
const POLL_MS = 50;

/** A replicated table as both sides know it. */
export interface PublishedTable extends Pick<ReplicatedTable, "sql" | "identity" | "partitioned"> {
	/** The columns that both sides have and that are not computed. */
	columns: string[];
}

/**
 * The tables that both sides have, with the columns that both have.
 *
 * @throws Error naming every table whose rows the other side could not tell apart
 */
export function commonTables(
	from: readonly ReplicatedTable[],
	to: readonly ReplicatedTable[],
): PublishedTable[] {
	const others = new Map(to.map((table) => [table.sql, table]));
	const problems: string[] = [];
	const common = from.flatMap((table) => {
		const other = others.get(table.sql);
		if (other === undefined) {
			return [];
		}
		const columns = table.columns
			.filter(
				({ name, generated }) =>
					!generated && other.columns.some((column) => column.name === name && !column.generated),
			)
			.map(({ name }) => name);
		if (table.identity === "full" && columns.length < table.columns.length) {
			problems.push(
				`${table.sql} has no primary key, so every one of its columns must be on both sides and none may be computed: give it a primary key first`,
			);
		}
		return [{ sql: table.sql, identity: table.identity, partitioned: table.partitioned, columns }];
	});
	if (problems.length > 0) {
		throw new Error(problems.join("\n"));
	}
	return common;
}

/**
 * Makes the publication of a link, with what an earlier attempt left of it removed.
 *
 * @param client on the publishing side, as its administrator
 */
export async function createPublication(
	client: ClientBase,
	name: string,
	tables: readonly PublishedTable[],
): Promise<void> {
	const published = tables.map(({ sql, identity, partitioned, columns }) => {
		// Rows that are told apart by all columns need all of them; a list would refuse their changes.
		const list = identity === "full" ? "" : ` (${columns.map(escapeIdentifier).join(", ")})`;
		return `TABLE ${partitioned ? "" : "ONLY "}${sql}${list}`;
	});
	const all = [...published, "TABLE ONLY deployment.cutover_markers"];
	await client.query(
		`BEGIN;
		DROP PUBLICATION IF EXISTS ${escapeIdentifier(name)};
		CREATE PUBLICATION ${escapeIdentifier(name)} FOR ${all.join(", ")} WITH (publish_via_partition_root = true);
		COMMIT`,
	);
}

/** Whether a link's publication has just these tables, with all of their columns that are not computed. */
export async function publishes(
	client: ClientBase,
	name: string,
	tables: readonly ReplicatedTable[],
): Promise<boolean> {
	const { rows } = await client.query<{ schema: string; name: string; columns: string[] }>(
		`SELECT schemaname AS schema, tablename AS name, attnames::text[] AS columns FROM pg_publication_tables
		WHERE pubname = $1 AND schemaname <> 'deployment'`,
		[name],
	);
	const described = (sql: string, columns: readonly string[]) => JSON.stringify([sql, [...columns].sort()]);
	const wanted = tables.map(({ sql, columns }) =>
		described(
			sql,
			columns.filter(({ generated }) => !generated).map((column) => column.name),
		),
	);
	const found = rows.map(({ schema, name: table, columns }) =>
		described(qualifiedName(schema, table), columns),
	);
	return JSON.stringify(wanted.sort()) === JSON.stringify(found.sort());
}

/**
 * Makes the slot of a link, from which on changes are kept for it.
 *
 * @param timeoutMs milliseconds to wait for the transactions that write on that server, in any database
 */
export async function createSlot(from: Node, name: string, timeoutMs: number): Promise<void> {
	await withNode(
		from,
		APPLICATION,
		async (client) => {
			await dropSlot(client, name);
			await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [name]);
		},
		timeoutMs,
	);
}

/**
 * Begins to apply what a link's slot keeps. An error stops the subscription at once instead of being tried again for
 * ever, until {@link stopOnError} says otherwise.
 */
export async function startSubscription(from: Node, to: Node): Promise<void> {
	const name = linkName(from, to);
	await withNode(to, APPLICATION, async (client) => {
		await dropSubscription(client, name);
		const trusted = await ownCertificates(client);
		await keepOutOfLog(client);
		await client.query(
			`CREATE SUBSCRIPTION ${escapeIdentifier(name)} CONNECTION ${escapeLiteral(connectionText(from.publisher ?? from.replication, name, trusted))}
			PUBLICATION ${escapeIdentifier(name)} WITH (create_slot = false, slot_name = ${escapeLiteral(name)},
				copy_data = false, origin = none, disable_on_error = true, streaming = parallel)`,
		);
	});
}

/**
 * Lets a link, if it is there, also bring what its source itself got from a third colour: the colour before the last one
 * stays in step so.
 */
export async function relayEverything(client: ClientBase, name: string): Promise<void> {
	if (await hasSubscription(client, name)) {
		await client.query(`ALTER SUBSCRIPTION ${escapeIdentifier(name)} SET (origin = any)`);
	}
}

/**
 * Makes a link bring only what was written on its source, as it must before its receiving side is written itself: that
 * would come back otherwise, over newer writes.
 *
 * @returns whether it had brought more
 */
export async function relayOwnOnly(client: ClientBase, name: string): Promise<boolean> {
	const { rows } = await client.query(
		`SELECT FROM pg_subscription WHERE subname = $1 AND suborigin = 'any'
			AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		[name],
	);
	if (rows.length > 0) {
		await client.query(`ALTER SUBSCRIPTION ${escapeIdentifier(name)} SET (origin = none)`);
	}
	return rows.length > 0;
}

/**
 * Lets a link stop at its first error, so that whoever watches it hears of it at once; or lets it try again by itself
 * every few seconds, as it should while nobody watches. To lose its connection in the middle of a stream is an error.
 */
export async function stopOnError(client: ClientBase, name: string, stops: boolean): Promise<void> {
	const { rows } = await client.query(
		`SELECT FROM pg_subscription WHERE subname = $1 AND subdisableonerr <> $2
			AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		[name, stops],
	);
	if (rows.length > 0) {
		await client.query(`ALTER SUBSCRIPTION ${escapeIdentifier(name)} SET (disable_on_error = ${stops})`);
	}
}

/** Lets a subscription go on that stopped on an error. */
export async function resumeSubscription(client: ClientBase, name: string): Promise<void> {
	await client.query(`ALTER SUBSCRIPTION ${escapeIdentifier(name)} ENABLE`);
}

async function hasSubscription(client: ClientBase, name: string): Promise<boolean> {
	const { rows } = await client.query(
		"SELECT FROM pg_subscription WHERE subname = $1 AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
		[name],
	);
	return rows.length > 0;
}

/** The statement that follows holds a password: should it fail, the server's log must not quote it. */
async function keepOutOfLog(client: ClientBase): Promise<void> {
	// Where the administrator is no superuser and may not set it, the server itself is set up so.
	await client.query(
		"SELECT set_config(name, 'panic', false) FROM pg_settings WHERE name = 'log_min_error_statement' AND setting <> 'panic'",
	);
}

/**
 * The file of certificates that a server trusts, on that server: it is the server that connects, not the deployment.
 * RDS lets nobody put a file there, and sets this one itself.
 */
async function ownCertificates(client: ClientBase): Promise<string | undefined> {
	const { rows } = await client.query<{ file: string }>("SELECT current_setting('ssl_ca_file') AS file");
	return rows[0]?.file || undefined;
}

/**
 * How a server connects to the one that it subscribes to, as libpq reads it.
 *
 * @param trusted file of certificates on the connecting server; libpq's own when left out
 */
export function connectionText(connection: Connection, name: string, trusted?: string): string {
	const { host, port, database, user, password, sslMode } = connection;
	const parts = {
		host,
		port: String(port),
		dbname: database,
		user,
		password,
		sslmode: sslMode,
		...(sslMode === "verify-full" && trusted !== undefined && { sslrootcert: trusted }),
		application_name: name,
		connect_timeout: "10",
		keepalives_idle: "10",
	};
	return Object.entries(parts)
		.map(([key, value]) => `${key}='${value.replace(/[\\']/g, "\\$&")}'`)
		.join(" ");
}

/** Ends a link on both sides, whatever there is of it. Each step can be repeated. */
export async function dropLink(from: Node, to: Node): Promise<void> {
	const name = linkName(from, to);
	await withNode(to, APPLICATION, (client) => dropSubscription(client, name));
	await withNode(from, APPLICATION, (client) => dropSource(client, name));
}

/** Ends the receiving side of a link. */
export async function dropSubscription(client: ClientBase, name: string): Promise<void> {
	if (await hasSubscription(client, name)) {
		const subscription = escapeIdentifier(name);
		await client.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
		// Without it the drop would ask the other side, which may be gone.
		await client.query(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`);
		await client.query(`DROP SUBSCRIPTION ${subscription}`);
	}
}

/** Ends the sending side of a link. */
export async function dropSource(client: Client, name: string): Promise<void> {
	await dropSlot(client, name);
	await client.query(`DROP PUBLICATION IF EXISTS ${escapeIdentifier(name)}`);
}

/**
 * Drops a slot, after ending who reads from it.
 *
 * @throws Error when its reader does not let go of it
 */
export async function dropSlot(client: ClientBase, name: string): Promise<void> {
	const gone = await poll(SLOT_RELEASE_MS, POLL_MS, async () => {
		await client.query(
			"SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL",
			[name],
		);
		const { rows } = await client.query<{ dropped: boolean }>(
			`SELECT count(pg_drop_replication_slot(slot_name)) = 1 AS dropped
			FROM pg_replication_slots WHERE slot_name = $1 AND NOT active`,
			[name],
		);
		const { rows: left } = await client.query("SELECT FROM pg_replication_slots WHERE slot_name = $1", [
			name,
		]);
		return rows[0]?.dropped || left.length === 0 || undefined;
	});
	if (gone === undefined) {
		throw new Error(
			`the replication slot ${name} stays in use: end the process that reads from it (pg_replication_slots shows it)`,
		);
	}
}
