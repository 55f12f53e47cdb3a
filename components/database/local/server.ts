import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { escapeLiteral } from "pg";
import { z } from "zod";
import { poll } from "../../local/deadline";
import { readJsonFile, readTextFile, writeFileAtomically } from "../../local/files";
import { claimPort, LOOPBACK } from "../../local/port";
import { stopAll } from "../../local/process";
import { isProgramRunning } from "../../local/process-table";
import { type Connection, withClient } from "../connection";
import { ensureAdministrator } from "./administrator";
import { ACCESS_RULES, configuration, configurationFile, configure } from "./configuration";
import { findInstallation, type Installation, prepareInstallation, removeInstallation } from "./installation";
import { runProgram } from "./programs";
import { SUPERUSER } from "./roles";

export interface LocalServerOptions {
	/** The stack's folder, `.local/<stack>`. */
	directory: string;
	/** Of the superuser `postgres`. */
	password: string;
	/** Connections that applications may hold; the server keeps some more for the deployment itself. */
	maxConnections: number;
	/** Of its log that it keeps for a slot that nobody reads from. */
	keptWalGigabytes?: number;
	/** Whether there is a role for the deployment that is no superuser. */
	withoutSuperuser?: boolean;
	/** A fixed port; a free one is chosen once and kept when it is left out. */
	port?: number;
	/** Seconds until starting or stopping is given up. */
	timeoutSeconds: number;
}

export interface LocalServer {
	host: string;
	port: number;
	/** Whether this call started it. */
	started: boolean;
}

const savedSchema = z.strictObject({ port: z.number().int() });

/**
 * Brings the stack's server up: creates it, starts it, or finds it running and leaves it alone.
 * Every step can be repeated, so that a killed update is mended by the next one.
 *
 * @throws Error when the port is taken, the folder cannot be written or the server does not come up in time.
 */
export async function ensureServer(options: LocalServerOptions): Promise<LocalServer> {
	const server = await ensureRunning(options);
	if (options.withoutSuperuser) {
		await ensureAdministrator(superuserConnection(server.port, options.password));
	}
	return server;
}

async function ensureRunning(options: LocalServerOptions): Promise<LocalServer> {
	const installation = prepareInstallation(options.directory);
	await createData(installation, options);
	const saved = savedPort(options.directory);
	const wanted = options.port ?? saved;
	// A new port is claimed before the server on the old one stops: if it is taken, nothing has happened.
	const port = wanted !== undefined && wanted === saved ? saved : await claimPort(wanted, "PostgreSQL", MEND);
	const running = await isRunning(installation);
	const reconfigured = configure(installation, options, port);
	if (running && !reconfigured && (await answers(options, port, installation))) {
		savePort(options.directory, port);
		return { host: LOOPBACK, port, started: false };
	}
	if (running) {
		await stop(installation, options.timeoutSeconds);
	}
	await claimPort(port, "PostgreSQL", MEND);
	await setPassword(installation, options);
	await start(installation, options.timeoutSeconds);
	if (!(await answers(options, port, installation))) {
		throw new Error(`the server on port ${port} is not the one of ${options.directory}: end the other one`);
	}
	savePort(options.directory, port);
	return { host: LOOPBACK, port, started: true };
}

const MEND = "set `databasePort` to another one";

/** Whether the stack's own server runs with the wanted settings; asked by previews, so nothing is changed. */
export async function isServing(options: LocalServerOptions): Promise<boolean> {
	const installation = findInstallation(options.directory);
	const port = savedPort(options.directory);
	return (
		installation !== undefined &&
		port !== undefined &&
		(options.port ?? port) === port &&
		readTextFile(configurationFile(installation)) === configuration(options, port) &&
		(await isRunning(installation)) &&
		(await answers(options, port, installation))
	);
}

/** Stops the stack's server if it runs; its data stays. */
export async function stopServer(directory: string, timeoutSeconds: number): Promise<void> {
	const installation = findInstallation(directory);
	if (installation !== undefined && (await isRunning(installation))) {
		await stop(installation, timeoutSeconds);
	}
}

/**
 * Stops the stack's server and removes the stack's whole folder: data, logs, backups. Other processes of the stack,
 * which an interrupted update may have left without the state knowing, end before.
 */
export async function removeServer(directory: string, timeoutSeconds: number): Promise<void> {
	await stopAll(directory, timeoutSeconds * 1000);
	for (const each of [...serversBelow(directory), directory]) {
		await stopServer(each, timeoutSeconds);
		removeInstallation(each);
	}
	rmSync(directory, { recursive: true, force: true });
}

/** The folders of further servers of the stack, such as that of the second colour. */
function serversBelow(directory: string): string[] {
	if (!existsSync(directory)) {
		return [];
	}
	return readdirSync(directory)
		.map((name) => join(directory, name))
		.filter((folder) => existsSync(join(folder, "postgres")));
}

/** The superuser's connection to a database of the stack's server. */
export function superuserConnection(port: number, password: string, database = "postgres"): Connection {
	return { host: LOOPBACK, port, database, user: SUPERUSER, password, sslMode: "disable" };
}

async function createData(installation: Installation, options: LocalServerOptions): Promise<void> {
	const data = join(installation.home, "data");
	if (existsSync(join(data, "PG_VERSION"))) {
		return;
	}
	const draft = `${data}.new`;
	rmSync(draft, { recursive: true, force: true });
	const locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"];
	await runProgram(
		installation,
		"initdb",
		["--pgdata", draft, "--username", SUPERUSER, "--auth", "reject", "--encoding", "UTF8", ...locale],
		options.timeoutSeconds * 1000,
	);
	writeFileAtomically(join(draft, "pg_hba.conf"), ACCESS_RULES, 0o644);
	renameSync(draft, data);
}

function serverFile(directory: string): string {
	return join(directory, "server.json");
}

function savePort(directory: string, port: number): void {
	if (savedPort(directory) !== port) {
		writeFileAtomically(serverFile(directory), JSON.stringify({ port }), 0o644);
	}
}

function savedPort(directory: string): number | undefined {
	return readJsonFile(serverFile(directory), savedSchema)?.port;
}

async function isRunning({ home }: Installation): Promise<boolean> {
	const data = join(home, "data");
	const pid = Number(readTextFile(join(data, "postmaster.pid"))?.split("\n")[0]);
	return Number.isInteger(pid) && pid > 0 && (await isProgramRunning(pid, `postgres -D ${data}`));
}

/** Whether the server on `port` lets the superuser in and is the one whose data lies in this installation. */
async function answers(options: LocalServerOptions, port: number, { home }: Installation): Promise<boolean> {
	const connection = superuserConnection(port, options.password);
	try {
		return await withClient(connection, { applicationName: "deployment-server" }, async (client) => {
			const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
			return rows[0] !== undefined && isSameDirectory(rows[0].data_directory, join(home, "data"));
		});
	} catch {
		// Refused, not yet up, or another password: in each case it is not serving, and starting it tells why.
		return false;
	}
}

function isSameDirectory(left: string, right: string): boolean {
	const a = statSync(left, { throwIfNoEntry: false });
	const b = statSync(right, { throwIfNoEntry: false });
	return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

/** Sets the superuser's password without the server running: the state may have been lost, the data not. */
async function setPassword(installation: Installation, options: LocalServerOptions): Promise<void> {
	await disownPidFile(installation);
	const statement = `ALTER ROLE ${SUPERUSER} PASSWORD ${escapeLiteral(options.password)}`;
	const timeoutMs = options.timeoutSeconds * 1000;
	let leftovers: unknown;
	const done = await poll(timeoutMs, 200, async () => {
		try {
			const args = [
				"--single",
				"-c",
				"log_min_error_statement=panic",
				"-D",
				join(installation.home, "data"),
				SUPERUSER,
			];
			const output = await runProgram(installation, "postgres", args, timeoutMs, `${statement}\n`);
			if (output.includes("ERROR:")) {
				throw new Error("PostgreSQL did not take the superuser's password: look into its server.log");
			}
			return true;
		} catch (error) {
			// The children of a killed server need a moment to notice; PostgreSQL refuses to start beside them.
			if (error instanceof Error && error.message.includes("still in use")) {
				leftovers = error;
				return undefined;
			}
			throw error;
		}
	});
	if (done === undefined) {
		throw leftovers;
	}
}

/** No system hands out a process id this high. */
const NO_PROCESS = 2_147_483_646;

/**
 * The recorded process id may by now belong to some other program (after a reboot) or to a process that ended and that
 * nobody collects (in a container without an init): PostgreSQL would refuse to start for ever. Only the id is taken
 * out; by the rest of the file PostgreSQL sees for itself whether children of a killed server still use the data.
 */
async function disownPidFile(installation: Installation): Promise<void> {
	const file = join(installation.home, "data", "postmaster.pid");
	const content = readTextFile(file);
	if (content !== undefined && !(await isRunning(installation))) {
		writeFileAtomically(file, content.replace(/^\d+/, String(NO_PROCESS)), 0o644);
	}
}

async function start(installation: Installation, timeoutSeconds: number): Promise<void> {
	const { home } = installation;
	const args = [
		"start",
		"-D",
		join(home, "data"),
		"-l",
		join(home, "server.log"),
		"-w",
		"-t",
		String(timeoutSeconds),
	];
	await runProgram(installation, "pg_ctl", args, (timeoutSeconds + 5) * 1000);
}

async function stop(installation: Installation, timeoutSeconds: number): Promise<void> {
	const data = join(installation.home, "data");
	for (const mode of ["fast", "immediate"]) {
		const args = ["stop", "-D", data, "-m", mode, "-w", "-t", String(timeoutSeconds)];
		try {
			await runProgram(installation, "pg_ctl", args, (timeoutSeconds + 5) * 1000);
			return;
		} catch (error) {
			const gone = await poll(1000, 100, async () => ((await isRunning(installation)) ? undefined : true));
			if (gone) {
				return;
			}
			if (mode === "immediate") {
				throw error;
			}
		}
	}
}
