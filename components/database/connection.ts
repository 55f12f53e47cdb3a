import { existsSync, readFileSync } from "node:fs";
import { Client, type ClientConfig } from "pg";
import { z } from "zod";

/** Where a PostgreSQL server is. */
export const addressSchema = z.strictObject({
	host: z.string().min(1),
	port: z.number().int().min(1).max(65535),
});

/** How to reach one PostgreSQL database as one role. */
export const connectionSchema = addressSchema.extend({
	database: z.string().min(1),
	user: z.string().min(1),
	/** Never logged, never part of an id. */
	password: z.string(),
	sslMode: z.enum(["disable", "require", "verify-full"]),
	/** A file of certificates, from the project's folder, that `verify-full` trusts in place of the system's. */
	sslRootCert: z.string().min(1).optional(),
});

export type Connection = z.infer<typeof connectionSchema>;

export interface SessionOptions {
	/** Shown in pg_stat_activity. */
	applicationName: string;
	/** Milliseconds until the server gives up on one statement. */
	statementTimeoutMs?: number;
	/** Milliseconds until this side gives up on one statement, should the server not even say that it does. */
	queryTimeoutMs?: number;
	/** Milliseconds to wait for the connection itself. */
	connectTimeoutMs?: number;
}

const DEFAULT_STATEMENT_TIMEOUT_MS = 30_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/**
 * The settings of `pg` for a connection.
 *
 * @throws Error when the file of trusted certificates cannot be read
 */
export function clientConfig(connection: Connection, options: SessionOptions): ClientConfig {
	const { sslMode, sslRootCert, ...target } = connection;
	return {
		...target,
		ssl: sslMode === "disable" ? false : encryption(sslMode, sslRootCert),
		application_name: options.applicationName,
		statement_timeout: options.statementTimeoutMs ?? DEFAULT_STATEMENT_TIMEOUT_MS,
		...(options.queryTimeoutMs !== undefined && { query_timeout: options.queryTimeoutMs }),
		connectionTimeoutMillis: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
		keepAlive: true,
	};
}

function encryption(sslMode: "require" | "verify-full", sslRootCert: string | undefined) {
	return sslMode === "require"
		? { rejectUnauthorized: false }
		: { rejectUnauthorized: true, ...(sslRootCert !== undefined && { ca: certificatesIn(sslRootCert) }) };
}

/**
 * The certificates in a file, as PEM.
 *
 * @throws Error when there are none
 */
export function certificatesIn(file: string): string {
	const text = existsSync(file) ? readFileSync(file, "utf8") : "";
	if (!text.includes("-----BEGIN CERTIFICATE-----")) {
		throw new Error(`${file} has no certificates to check a server with: put the PEM bundle of its CA there`);
	}
	return text;
}

/**
 * Runs `work` on a fresh connection that is closed afterwards, whatever happens.
 * The backend of a killed process notices within 200 ms (`client_connection_check_interval`), so that it does
 * not go on holding locks.
 *
 * @throws Error naming host, port and database (never the password) when the connection cannot be made.
 */
export async function withClient<T>(
	connection: Connection,
	options: SessionOptions,
	work: (client: Client) => Promise<T>,
): Promise<T> {
	const client = await connect(connection, options);
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

/** Opens a connection; the caller ends it. See {@link withClient}. */
export async function connect(connection: Connection, options: SessionOptions): Promise<Client> {
	const client = new Client(clientConfig(connection, options));
	// A connection lost between two queries is reported by the next query; without a listener it would end the process.
	client.on("error", () => {});
	const where = `${connection.user}@${connection.host}:${connection.port}/${connection.database}`;
	try {
		await client.connect();
		await client.query("SET client_connection_check_interval = '200ms'");
	} catch (cause) {
		await client.end().catch(() => {});
		throw new Error(`cannot connect to ${where}: ${cause instanceof Error ? cause.message : String(cause)}`, {
			cause,
		});
	}
	return client;
}
