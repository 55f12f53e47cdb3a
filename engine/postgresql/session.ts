import { setTimeout as sleep } from "node:timers/promises";
import { type Client, DatabaseError } from "pg";
import { withClient } from "../../components/database/connection";
import { databaseOwner, joinRole, leaveRole } from "./membership";
import { Queue } from "./queue";
import type { Settings } from "./settings";
import type { Session } from "./statement";

/** Seconds for one statement, locks included, when the program sets no timeout of its own. */
const STATEMENT_SECONDS = 120;
const ATTEMPTS = 8;

/** Sessions of one configured provider; none is kept open, so that none is in the way of a DROP DATABASE. */
export class Sessions {
	private readonly places: Queue;
	/** Temporary memberships of the user are seen by all its sessions: who needs them takes turns. */
	private readonly turns: Queue;
	private cancelled = false;

	constructor(readonly settings: Settings) {
		this.places = new Queue(settings.maxConnections > 0 ? settings.maxConnections : Number.POSITIVE_INFINITY);
		this.turns = turnsOf(settings);
	}

	/** The database that the provider itself is connected to. */
	get maintenanceDatabase(): string {
		return this.settings.connection.database;
	}

	/** After this no new session is opened. */
	cancel(): void {
		this.cancelled = true;
	}

	/**
	 * Runs `work` on a session of its own.
	 *
	 * @throws Error when the connection cannot be made or the update was cancelled.
	 */
	async run<T>(database: string, timeoutSeconds: number, work: (session: Session) => Promise<T>): Promise<T> {
		return this.places.run(async () => {
			if (this.cancelled) {
				throw new Error("cancelled before anything was changed");
			}
			const inTurn = (session: Session) =>
				session.isSuperuser ? work(session) : this.turns.run(() => work(session));
			try {
				return await this.open(database, timeoutSeconds, inTurn);
			} catch (error) {
				if (!isRefused(error)) {
					throw error;
				}
				return this.turns.run(() => this.openAsOwner(database, timeoutSeconds, work, error));
			}
		});
	}

	/** Opens a database that is closed to the user: as a member of its owner for as long as it takes. */
	private async openAsOwner<T>(
		database: string,
		timeoutSeconds: number,
		work: (session: Session) => Promise<T>,
		refusal: unknown,
	): Promise<T> {
		const outside = <R>(action: (session: Session, owner: string) => Promise<R>) =>
			this.open(this.maintenanceDatabase, timeoutSeconds, async (session) => {
				const owner = await databaseOwner(session.client, database);
				return action(session, owner);
			});
		if (database === this.maintenanceDatabase || !(await outside(joinRole))) {
			throw refusal;
		}
		try {
			return await this.open(database, timeoutSeconds, work);
		} finally {
			await outside(leaveRole);
		}
	}

	private open<T>(
		database: string,
		timeoutSeconds: number,
		work: (session: Session) => Promise<T>,
	): Promise<T> {
		const options = {
			applicationName: "pulumi-embedded-engine",
			statementTimeoutMs: (timeoutSeconds || STATEMENT_SECONDS) * 1000,
			connectTimeoutMs: this.settings.connectTimeoutMs,
		};
		const connection = { ...this.settings.connection, database };
		return withClient(connection, options, async (client) => work(await describeSession(client)));
	}

	/**
	 * As `run`, in a transaction, which is repeated when another session got in its way.
	 *
	 * @throws Error when `work` does, after everything has been rolled back.
	 */
	async transaction<T>(
		database: string,
		timeoutSeconds: number,
		work: (session: Session) => Promise<T>,
	): Promise<T> {
		return this.run(database, timeoutSeconds, (session) => repeatedly(() => inTransaction(session, work)));
	}
}

async function describeSession(client: Client): Promise<Session> {
	const { rows } = await client.query<{ user: string; superuser: boolean; version: number }>(
		`SELECT current_user AS user, rolsuper AS superuser, current_setting('server_version_num')::int AS version
		FROM pg_catalog.pg_roles WHERE rolname = current_user`,
	);
	const [row] = rows;
	if (row === undefined) {
		throw new Error("the server does not know the user it let in");
	}
	return { client, user: row.user, isSuperuser: row.superuser, serverVersion: row.version };
}

/** Everything that `work` does, or nothing. */
export async function inTransaction<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
	await session.client.query("BEGIN");
	try {
		const result = await work(session);
		await session.client.query("COMMIT");
		return result;
	} catch (error) {
		await session.client.query("ROLLBACK").catch((cause: unknown) => {
			// The session is lost, and with it the transaction; why is told by the first error.
			if (!(error instanceof Error)) {
				throw cause;
			}
		});
		throw error;
	}
}

/** Repeats what failed only because another session changed the same catalog row at the same time. */
export async function repeatedly<T>(work: () => Promise<T>): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await work();
		} catch (error) {
			if (attempt >= ATTEMPTS || !isCollision(error)) {
				throw error;
			}
			await sleep(20 * attempt + 50 * Math.random());
		}
	}
}

const INSUFFICIENT_PRIVILEGE = "42501";

/** Whether a connection was refused for want of the right to connect; `withClient` tells it as the cause. */
function isRefused(error: unknown): boolean {
	return (
		error instanceof Error &&
		error.message.startsWith("cannot connect") &&
		error.cause instanceof DatabaseError &&
		error.cause.code === INSUFFICIENT_PRIVILEGE
	);
}

const DEADLOCK = "40P01";
const INTERNAL_ERROR = "XX000";

function isCollision(error: unknown): boolean {
	const cause = error instanceof Error && error.cause instanceof DatabaseError ? error.cause : error;
	return (
		cause instanceof DatabaseError &&
		(cause.code === DEADLOCK ||
			(cause.code === INTERNAL_ERROR && cause.message.startsWith("tuple concurrently")))
	);
}

const turnsByServer = new Map<string, Queue>();

function turnsOf({ connection: { host, port, user } }: Settings): Queue {
	const key = JSON.stringify([host, port, user]);
	const known = turnsByServer.get(key) ?? new Queue(1);
	turnsByServer.set(key, known);
	return known;
}
