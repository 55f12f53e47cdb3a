import { type Client, escapeIdentifier } from "pg";
import type { Properties } from "../provider";
import type { Change, Context, Creation, Found, Handler } from "./handler";
import { actingFor, databaseExists, databaseOwner } from "./membership";
import { execute } from "./statement";
import { flag, text } from "./values";

/** `postgresql.Schema`: a schema in a database; an existing one is taken over, as by the plugin. */
export const schema: Handler = { create, read, update, delete: remove };

async function create({ sessions, timeoutSeconds }: Context, { planned }: Creation): Promise<Found> {
	const database = text(planned, "database") || sessions.maintenanceDatabase;
	const name = text(planned, "name");
	const owner = text(planned, "owner");
	return sessions.transaction(database, timeoutSeconds, async (session) => {
		const { client } = session;
		const roles = [await databaseOwner(client), owner].filter((role) => role !== "");
		await actingFor(session, roles, async () => {
			const identifier = escapeIdentifier(name);
			if ((await describe(client, database, name)) === undefined) {
				const authorization = owner === "" ? "" : ` AUTHORIZATION ${escapeIdentifier(owner)}`;
				await execute(client, `create schema ${name}`, `CREATE SCHEMA ${identifier}${authorization}`);
			} else if (owner !== "") {
				await execute(client, `give schema ${name} to ${owner}`, ownerStatement(name, owner));
			}
		});
		return found(await describe(client, database, name), database, name);
	});
}

async function update({ sessions, timeoutSeconds }: Context, change: Change): Promise<Found> {
	const { prior, planned, changed } = change;
	const database = text(planned, "database") || sessions.maintenanceDatabase;
	const name = text(planned, "name");
	const owner = text(planned, "owner");
	return sessions.transaction(database, timeoutSeconds, async (session) => {
		const { client } = session;
		const roles = [text(prior, "owner"), owner, await databaseOwner(client)].filter((role) => role !== "");
		await actingFor(session, roles, async () => {
			if (changed.has("name")) {
				const before = text(prior, "name");
				const statement = `ALTER SCHEMA ${escapeIdentifier(before)} RENAME TO ${escapeIdentifier(name)}`;
				await execute(client, `rename schema ${before} to ${name}`, statement);
			}
			if (changed.has("owner") && owner !== "") {
				await execute(client, `give schema ${name} to ${owner}`, ownerStatement(name, owner));
			}
		});
		return found(await describe(client, database, name), database, name);
	});
}

async function read(context: Context, id: string, prior: Properties): Promise<Found | undefined> {
	const { sessions, timeoutSeconds } = context;
	const [database, name] = locate(id, prior, sessions.maintenanceDatabase);
	if (!(await isDatabase(context, database))) {
		return undefined;
	}
	return sessions.run(database, timeoutSeconds, async ({ client }) => {
		const actual = await describe(client, database, name);
		return actual && found({ policies: [], ...prior, ...actual }, database, name);
	});
}

async function remove(context: Context, prior: Properties): Promise<void> {
	const { sessions, timeoutSeconds } = context;
	const database = text(prior, "database") || sessions.maintenanceDatabase;
	const name = text(prior, "name");
	if (!(await isDatabase(context, database))) {
		return;
	}
	await sessions.transaction(database, timeoutSeconds, async (session) => {
		const actual = await describe(session.client, database, name);
		if (actual !== undefined) {
			const mode = flag(prior, "dropCascade") ? "CASCADE" : "RESTRICT";
			await actingFor(session, [text(actual, "owner")], () =>
				execute(session.client, `drop schema ${name}`, `DROP SCHEMA ${escapeIdentifier(name)} ${mode}`),
			);
		}
	});
}

/** Database and name of a schema, or of an extension, by its properties or else by its id. */
export function locate(id: string, prior: Properties, database: string): [database: string, name: string] {
	if (text(prior, "name") !== "") {
		return [text(prior, "database") || database, text(prior, "name")];
	}
	const parts = id.split(".");
	if (parts.length !== 2) {
		throw new Error(`the id ${id} must have the form database.name`);
	}
	return [parts[0] ?? "", parts[1] ?? ""];
}

export function isDatabase({ sessions, timeoutSeconds }: Context, database: string): Promise<boolean> {
	return sessions.run(sessions.maintenanceDatabase, timeoutSeconds, ({ client }) =>
		databaseExists(client, database),
	);
}

function ownerStatement(name: string, owner: string): string {
	return `ALTER SCHEMA ${escapeIdentifier(name)} OWNER TO ${escapeIdentifier(owner)}`;
}

function found(actual: Properties | undefined, database: string, name: string): Found {
	if (actual === undefined) {
		throw new Error(`schema ${name} has disappeared while it was being changed: run the update again`);
	}
	return { id: `${database}.${name}`, properties: actual };
}

async function describe(client: Client, database: string, name: string): Promise<Properties | undefined> {
	const { rows } = await client.query<Properties>(
		`SELECT nspname AS name, pg_catalog.pg_get_userbyid(nspowner) AS owner
		FROM pg_catalog.pg_namespace WHERE nspname = $1`,
		[name],
	);
	return rows[0] && { ...rows[0], database };
}
