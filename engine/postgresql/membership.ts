import { type Client, escapeIdentifier } from "pg";
import { execute, type Session } from "./statement";

/**
 * Makes the user a member of `roles` while `work` runs, so that it may act for them without being a superuser. What it
 * was a member of before, it stays. A role that is a member of the user is taken out for as long, for PostgreSQL
 * allows no circles.
 */
export async function actingFor<T>(session: Session, roles: string[], work: () => Promise<T>): Promise<T> {
	if (session.isSuperuser) {
		return work();
	}
	const granted: string[] = [];
	const takenOut: string[] = [];
	const giveBack = async () => {
		for (const role of granted.reverse()) {
			await leaveRole(session, role);
		}
		for (const role of takenOut) {
			if (await roleExists(session.client, role)) {
				await grant(session.client, session.user, role);
			}
		}
	};
	try {
		for (const role of new Set(roles)) {
			if (role === session.user || (await isSuperuser(session.client, role))) {
				continue;
			}
			if (await isMember(session, session.user, role)) {
				await revoke(session.client, session.user, role);
				takenOut.push(role);
			}
			if (await joinRole(session, role)) {
				granted.push(role);
			}
		}
		const result = await work();
		await giveBack();
		return result;
	} catch (error) {
		// Within a failed transaction nothing can be done and nothing has to be: it is rolled back.
		if (!(await isAborted(session.client))) {
			await giveBack();
		}
		throw error;
	}
}

/** Makes the user a member of `role`. @returns false when it was one already, or cannot be one of a superuser. */
export async function joinRole(session: Session, role: string): Promise<boolean> {
	const { client, user } = session;
	if ((await isSuperuser(client, role)) || (await isMember(session, role, user))) {
		return false;
	}
	await grant(client, role, user);
	return true;
}

/** Ends what `joinRole` began. */
export async function leaveRole({ client, user }: Session, role: string): Promise<void> {
	await revoke(client, role, user);
}

async function isAborted(client: Client): Promise<boolean> {
	return client.query("SELECT 1").then(
		() => false,
		() => true,
	);
}

async function isMember({ client, serverVersion }: Session, role: string, member: string): Promise<boolean> {
	const settable = serverVersion >= 160000 ? "AND set_option" : "";
	const { rows } = await client.query(
		`SELECT 1 FROM pg_catalog.pg_auth_members
		WHERE pg_catalog.pg_get_userbyid(roleid) = $1 AND pg_catalog.pg_get_userbyid(member) = $2 ${settable}`,
		[role, member],
	);
	return rows.length > 0;
}

async function grant(client: Client, role: string, member: string): Promise<void> {
	const statement = `GRANT ${escapeIdentifier(role)} TO ${escapeIdentifier(member)}`;
	await execute(client, `make ${member} a member of ${role}`, statement);
}

async function revoke(client: Client, role: string, member: string): Promise<void> {
	const statement = `REVOKE ${escapeIdentifier(role)} FROM ${escapeIdentifier(member)}`;
	await execute(client, `end the membership of ${member} in ${role}`, statement);
}

async function isSuperuser(client: Client, role: string): Promise<boolean> {
	const { rows } = await client.query<{ rolsuper: boolean }>(
		"SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1",
		[role],
	);
	if (rows[0] === undefined) {
		throw new Error(`role ${role} does not exist: create it first`);
	}
	return rows[0].rolsuper;
}

export async function roleExists(client: Client, role: string): Promise<boolean> {
	const { rows } = await client.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", [role]);
	return rows.length > 0;
}

/** Until when a lock is held: until the transaction ends, or until the session does. */
export type LockScope = "transaction" | "session";

const LOCK = { transaction: "pg_advisory_xact_lock", session: "pg_advisory_lock" } as const;

/** Takes turns with every other session in this database, the plugin's included, that changes this role. */
export async function lockRole(
	client: Client,
	role: string,
	scope: LockScope = "transaction",
): Promise<void> {
	const lock = LOCK[scope];
	await client.query(`SELECT ${lock}(oid::bigint) FROM pg_catalog.pg_roles WHERE rolname = $1`, [role]);
	await client.query(
		`SELECT ${lock}(member::bigint) FROM pg_catalog.pg_auth_members
		JOIN pg_catalog.pg_roles ON roleid = pg_roles.oid WHERE rolname = $1 ORDER BY member`,
		[role],
	);
}

/** The same for everything that is granted within a database; until the transaction ends. */
export async function lockDatabase(client: Client, database: string): Promise<void> {
	const statement =
		"SELECT pg_advisory_xact_lock(oid::bigint) FROM pg_catalog.pg_database WHERE datname = $1";
	await client.query(statement, [database]);
}

/** The owner of a database, by default of the one the session is in. */
export async function databaseOwner(client: Client, database?: string): Promise<string> {
	const { rows } = await client.query<{ owner: string }>(
		`SELECT pg_catalog.pg_get_userbyid(datdba) AS owner FROM pg_catalog.pg_database
		WHERE datname = COALESCE($1, current_database())`,
		[database],
	);
	if (rows[0] === undefined) {
		throw new Error(`database ${database ?? "of this session"} does not exist: create it first`);
	}
	return rows[0].owner;
}

export async function databaseExists(client: Client, database: string): Promise<boolean> {
	const { rows } = await client.query("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", [database]);
	return rows.length > 0;
}
