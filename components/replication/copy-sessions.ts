import { Client, type ClientConfig, type Connection as Wire } from "pg";
import { type Connection, clientConfig } from "../database/connection";
import type { Node } from "./node";

/** Shown in pg_stat_activity. */
export const COPY_APPLICATION = "deployment-copy";

/** How soon a lost server is looked for on a silent connection, in milliseconds. */
const KEEP_ALIVE_MS = 10_000;
/** How long to wait for whoever holds a lock on a table that is copied, in milliseconds. */
const LOCK_TIMEOUT_MS = 60_000;

/** What makes the text of a value the same on both sides; limits that could end a session between two chunks are lifted. */
const SETTINGS = {
	search_path: "pg_catalog",
	client_encoding: "UTF8",
	TimeZone: "UTC",
	DateStyle: "ISO, YMD",
	IntervalStyle: "postgres",
	extra_float_digits: "3",
	bytea_output: "hex",
	lc_monetary: "C",
	xmloption: "content",
	lock_timeout: String(LOCK_TIMEOUT_MS),
	idle_in_transaction_session_timeout: "0",
	idle_session_timeout: "0",
	transaction_timeout: "0",
	client_connection_check_interval: "200ms",
};

const SOURCE_SETTINGS = {
	...SETTINGS,
	// Rows that a policy hides are an error; they would be missing otherwise.
	row_security: "off",
	// The live side has other work to do; the copy's workers are parallel as it is.
	max_parallel_workers_per_gather: "0",
	// Rows arrive in the order in which they are stored.
	synchronize_seqscans: "off",
};

const TARGET_SETTINGS = {
	...SETTINGS,
	default_transaction_read_only: "off",
	// No triggers, no foreign key checks: the rows have passed them on the source.
	session_replication_role: "replica",
	synchronous_commit: "off",
};

/** All connections of one copy. They share its deadline: when it passes, or one of them fails, all are cut. */
export class CopySessions {
	private readonly open = new Set<Client>();
	private readonly deadline: number;
	private readonly timer: NodeJS.Timeout;
	private failure: Error | undefined;

	/** @param timeoutMs milliseconds until the copy is given up */
	constructor(timeoutMs: number) {
		this.deadline = performance.now() + timeoutMs;
		this.timer = setTimeout(
			() =>
				this.cut(new Error(`it was not done within ${timeoutMs / 1000} s: raise the time limit of the copy`)),
			timeoutMs,
		);
	}

	/** Milliseconds that are left of the copy's time, at least 1. */
	remainingMs(): number {
		return Math.max(1, Math.ceil(this.deadline - performance.now()));
	}

	/** Reads as the role that copies are made by. */
	source(node: Node): Promise<Client> {
		return this.connect(node.replication, SOURCE_SETTINGS);
	}

	/** Writes without triggers, foreign key checks, or waiting for the disk. */
	target(node: Node): Promise<Client> {
		return this.connect(node.admin, TARGET_SETTINGS);
	}

	/** For commands of the replication protocol. */
	replication(node: Node): Promise<Client> {
		return this.connect(node.replication, SETTINGS, { replication: "database" });
	}

	/** Ends a session before the others. */
	async end(client: Client): Promise<void> {
		this.open.delete(client);
		await client.end();
	}

	/** Closes every connection at once; what is under way on them fails. The first reason is the one that is told. */
	cut(reason: unknown): void {
		this.failure ??= reason instanceof Error ? reason : new Error(String(reason));
		for (const client of this.open) wire(client).stream.destroy();
	}

	/** The reason why the connections were cut, since an error that follows from it explains nothing. */
	cause(error: unknown): unknown {
		return this.failure ?? error;
	}

	/** Ends all that are left. */
	async close(): Promise<void> {
		await Promise.all([...this.open].map((client) => this.end(client)));
		clearTimeout(this.timer);
	}

	private async connect(
		connection: Connection,
		settings: Record<string, string>,
		extra: { replication?: "database" } = {},
	): Promise<Client> {
		const config: ClientConfig = {
			...clientConfig(connection, {
				applicationName: COPY_APPLICATION,
				statementTimeoutMs: this.remainingMs(),
			}),
			keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
			...extra,
		};
		const client = new Client(config);
		// A connection lost between two queries is reported by the next query; without a listener it would end the process.
		client.on("error", () => {});
		this.open.add(client);
		try {
			await client.connect();
			await client.query(setCommand(settings));
		} catch (cause) {
			const { user, host, port, database } = connection;
			const why = cause instanceof Error ? cause.message : String(cause);
			throw new Error(`cannot work on ${user}@${host}:${port}/${database}: ${why}`, { cause });
		}
		if (this.failure !== undefined) {
			wire(client).stream.destroy();
			throw this.failure;
		}
		return client;
	}
}

/** Sets what the server knows of: older versions lack some limits. The replication protocol takes no parameters. */
function setCommand(settings: Record<string, string>): string {
	const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
	return `SELECT set_config(wanted.name, wanted.value, false)
		FROM (VALUES ${values.join(", ")}) AS wanted (name, value)
		JOIN pg_catalog.pg_settings AS known ON lower(known.name) = lower(wanted.name)`;
}

function wire(client: Client): Wire {
	return (client as unknown as { connection: Wire }).connection;
}
