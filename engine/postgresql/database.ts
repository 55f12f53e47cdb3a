import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import type { Properties } from "../provider";
import type { Change, Context, Creation, Found, Handler } from "./handler";
import { actingFor, databaseExists, databaseOwner, lockRole } from "./membership";
import { inTransaction, repeatedly } from "./session";
import { execute, type Session } from "./statement";
import { flag, text, whole } from "./values";

/** `postgresql.Database`: a database, which is dropped with everything in it. */
export const database: Handler = { create, read, update, delete: remove };

async function create({ sessions, timeoutSeconds }: Context, creation: Creation): Promise<Found> {
	const { planned, interrupted } = creation;
	const name = text(planned, "name");
	return sessions.run(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
		const { client } = session;
		const owner = text(planned, "owner") || session.user;
		const isLeft = interrupted && (await databaseExists(client, name));
		await ownedBy(session, isLeft ? [owner, await databaseOwner(client, name)] : [owner], async () => {
			if (isLeft) {
				await adopt(client, name, owner, planned);
			} else {
				await repeatedly(() =>
					execute(client, `create database ${name}`, createStatement(name, owner, planned)),
				);
			}
		});
		return found(await describe(client, name), name, planned);
	});
}

async function update({ sessions, timeoutSeconds }: Context, change: Change): Promise<Found> {
	const { prior, planned, changed } = change;
	const before = text(prior, "name");
	const name = text(planned, "name");
	const owner = text(planned, "owner");
	const wanted = { name: changed.has("name"), owner: changed.has("owner") && owner !== "" };
	if (wanted.name) {
		await sessions.run(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
			const { client } = session;
			await ownedBy(session, [await databaseOwner(client, before)], () =>
				execute(
					client,
					`rename database ${before} to ${name}`,
					alter(before, `RENAME TO ${escapeIdentifier(name)}`),
				),
			);
		});
	}
	if ((wanted.owner || changed.has("alterObjectOwnership")) && flag(planned, "alterObjectOwnership")) {
		await sessions.run(name, timeoutSeconds, (session) => reassignObjects(session, name, owner));
	}
	return sessions.run(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
		const { client } = session;
		const owners = [await databaseOwner(client, name), ...(wanted.owner ? [owner] : [])];
		await ownedBy(session, owners, async () => {
			if (wanted.owner) {
				await setOwner(client, name, owner);
			}
			await alterOptions(client, name, planned, changed);
		});
		return found(await describe(client, name), name, planned);
	});
}

async function alterOptions(
	client: Client,
	name: string,
	planned: Properties,
	changed: ReadonlySet<string>,
): Promise<void> {
	if (changed.has("tablespaceName")) {
		const tablespace = text(planned, "tablespaceName");
		const change = isDefault(tablespace)
			? "RESET TABLESPACE"
			: `SET TABLESPACE ${escapeIdentifier(tablespace)}`;
		await execute(client, `move database ${name}`, alter(name, change));
	}
	for (const [property, clause] of optionClauses(planned, (each) => changed.has(each))) {
		await execute(client, `change ${property} of database ${name}`, alter(name, clause));
	}
}

async function remove({ sessions, timeoutSeconds }: Context, prior: Properties): Promise<void> {
	const name = text(prior, "name");
	await sessions.run(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
		const { client } = session;
		const actual = await describe(client, name);
		if (actual === undefined) {
			return;
		}
		// The owner may have changed since; whoever owns it now may drop it.
		await ownedBy(session, [text(actual, "owner")], async () => {
			if (flag(actual, "isTemplate")) {
				await execute(client, `make ${name} an ordinary database`, alter(name, "IS_TEMPLATE false"));
			}
			await execute(client, `drop database ${name}`, `DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`);
		});
	});
}

async function read({ sessions, timeoutSeconds }: Context, id: string, prior: Properties) {
	return sessions.run(sessions.maintenanceDatabase, timeoutSeconds, async ({ client }) => {
		const actual = await describe(client, id);
		return actual && found(actual, id, prior);
	});
}

function found(actual: Properties | undefined, name: string, known: Properties): Found {
	if (actual === undefined) {
		throw new Error(`database ${name} has disappeared while it was being changed: run the update again`);
	}
	// The server does not remember from what a database was made.
	return { id: name, properties: { ...actual, template: text(known, "template") || "template0" } };
}

async function ownedBy<T>(session: Session, owners: string[], work: () => Promise<T>): Promise<T> {
	if (!session.isSuperuser) {
		await lockRole(session.client, session.user, "session");
	}
	return actingFor(session, owners, work);
}

function alter(name: string, change: string): string {
	return `ALTER DATABASE ${escapeIdentifier(name)} ${change}`;
}

function setOwner(client: Client, name: string, owner: string): Promise<void> {
	return execute(
		client,
		`give database ${name} to ${owner}`,
		alter(name, `OWNER TO ${escapeIdentifier(owner)}`),
	);
}

function isDefault(value: string): boolean {
	return value === "" || value.toUpperCase() === "DEFAULT";
}

function createStatement(name: string, owner: string, planned: Properties): string {
	const identifier = (value: string) => (isDefault(value) ? "DEFAULT" : escapeIdentifier(value));
	const literal = (value: string) => (isDefault(value) ? "DEFAULT" : escapeLiteral(value));
	const clauses = [`OWNER ${escapeIdentifier(owner)}`];
	clauses.push(`TEMPLATE ${identifier(text(planned, "template") || "template0")}`);
	clauses.push(`ENCODING ${literal(text(planned, "encoding") || "UTF8")}`);
	for (const [property, keyword] of [
		["lcCollate", "LC_COLLATE"],
		["lcCtype", "LC_CTYPE"],
	] as const) {
		// Left out, it is the template's.
		if (text(planned, property) !== "") {
			clauses.push(`${keyword} ${literal(text(planned, property))}`);
		}
	}
	if (text(planned, "tablespaceName") !== "") {
		clauses.push(`TABLESPACE ${identifier(text(planned, "tablespaceName"))}`);
	}
	clauses.push(...optionClauses(planned, () => true).map(([, clause]) => clause));
	return `CREATE DATABASE ${escapeIdentifier(name)} ${clauses.join(" ")}`;
}

function optionClauses(planned: Properties, isWanted: (property: string) => boolean): [string, string][] {
	const clauses: [string, string][] = [
		["allowConnections", `ALLOW_CONNECTIONS ${flag(planned, "allowConnections")}`],
		["connectionLimit", `CONNECTION LIMIT ${whole(planned, "connectionLimit")}`],
		["isTemplate", `IS_TEMPLATE ${flag(planned, "isTemplate")}`],
	];
	return clauses.filter(([property]) => isWanted(property));
}

/**
 * Takes over a database that an interrupted create left behind.
 *
 * @throws Error when it was made with another encoding or locale than is wanted.
 */
async function adopt(client: Client, name: string, owner: string, planned: Properties): Promise<void> {
	const actual = (await describe(client, name)) ?? {};
	for (const property of ["encoding", "lcCollate", "lcCtype"]) {
		const wanted = text(planned, property);
		if (!isDefault(wanted) && wanted !== text(actual, property)) {
			throw new Error(
				`database ${name} exists already with ${property} ${text(actual, property)}, not ${wanted}: drop it`,
			);
		}
	}
	if (text(actual, "owner") !== owner) {
		await setOwner(client, name, owner);
	}
	for (const [property, clause] of optionClauses(planned, () => true)) {
		await execute(client, `change ${property} of database ${name}`, alter(name, clause));
	}
}

async function reassignObjects(session: Session, name: string, owner: string): Promise<void> {
	const { client } = session;
	const actual = await describe(client, name);
	const current = text(actual ?? {}, "owner");
	if (actual === undefined || current === owner) {
		return;
	}
	await inTransaction(session, async () => {
		await lockRole(client, session.user);
		await actingFor(session, [current, owner], () =>
			execute(
				client,
				`give what ${current} owns in ${name} to ${owner}`,
				`REASSIGN OWNED BY ${escapeIdentifier(current)} TO ${escapeIdentifier(owner)}`,
			),
		);
	});
}

async function describe(client: Client, name: string): Promise<Properties | undefined> {
	const { rows } = await client.query<Properties>(
		`SELECT datname AS name, pg_catalog.pg_get_userbyid(datdba) AS owner,
			pg_catalog.pg_encoding_to_char(encoding) AS encoding, datcollate AS "lcCollate", datctype AS "lcCtype",
			spcname AS "tablespaceName", datconnlimit AS "connectionLimit", datallowconn AS "allowConnections",
			datistemplate AS "isTemplate"
		FROM pg_catalog.pg_database JOIN pg_catalog.pg_tablespace ON dattablespace = pg_tablespace.oid
		WHERE datname = $1`,
		[name],
	);
	return rows[0];
}
