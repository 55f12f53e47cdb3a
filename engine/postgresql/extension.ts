import { type Client, escapeIdentifier } from "pg";
import type { Properties } from "../provider";
import type { Change, Context, Creation, Found, Handler } from "./handler";
import { actingFor, databaseOwner } from "./membership";
import { isDatabase, locate } from "./schema";
import { execute } from "./statement";
import { flag, text } from "./values";

/** `postgresql.Extension`: an extension in a database; an existing one is taken over, as by the plugin. */
export const extension: Handler = { create, read, update, delete: remove };

async function create({ sessions, timeoutSeconds }: Context, { planned }: Creation): Promise<Found> {
	const database = text(planned, "database") || sessions.maintenanceDatabase;
	const name = text(planned, "name");
	const clause = (property: string, keyword: string) =>
		text(planned, property) === "" ? "" : ` ${keyword} ${escapeIdentifier(text(planned, property))}`;
	const cascade = flag(planned, "createCascade") ? " CASCADE" : "";
	const options = clause("schema", "SCHEMA") + clause("version", "VERSION") + cascade;
	return sessions.transaction(database, timeoutSeconds, async (session) => {
		const { client } = session;
		const statement = `CREATE EXTENSION IF NOT EXISTS ${escapeIdentifier(name)}${options}`;
		await actingFor(session, [await databaseOwner(client)], () =>
			execute(client, `create extension ${name}`, statement),
		);
		return found(await describe(client, database, name), database, name);
	});
}

async function update({ sessions, timeoutSeconds }: Context, { planned, changed }: Change): Promise<Found> {
	const database = text(planned, "database") || sessions.maintenanceDatabase;
	const name = text(planned, "name");
	const alter = `ALTER EXTENSION ${escapeIdentifier(name)}`;
	return sessions.transaction(database, timeoutSeconds, async ({ client }) => {
		if (changed.has("schema")) {
			const statement = `${alter} SET SCHEMA ${escapeIdentifier(text(planned, "schema"))}`;
			await execute(client, `move extension ${name}`, statement);
		}
		if (changed.has("version")) {
			const statement = `${alter} UPDATE TO ${escapeIdentifier(text(planned, "version"))}`;
			await execute(client, `update extension ${name}`, statement);
		}
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
		return actual && found(actual, database, name);
	});
}

async function remove(context: Context, prior: Properties): Promise<void> {
	const { sessions, timeoutSeconds } = context;
	const database = text(prior, "database") || sessions.maintenanceDatabase;
	if (!(await isDatabase(context, database))) {
		return;
	}
	await sessions.transaction(database, timeoutSeconds, async ({ client }) => {
		const name = text(prior, "name");
		const mode = flag(prior, "dropCascade") ? "CASCADE" : "RESTRICT";
		const statement = `DROP EXTENSION IF EXISTS ${escapeIdentifier(name)} ${mode}`;
		await execute(client, `drop extension ${name}`, statement);
	});
}

function found(actual: Properties | undefined, database: string, name: string): Found {
	if (actual === undefined) {
		throw new Error(`extension ${name} has disappeared while it was being changed: run the update again`);
	}
	return { id: `${database}.${name}`, properties: actual };
}

async function describe(client: Client, database: string, name: string): Promise<Properties | undefined> {
	const { rows } = await client.query<Properties>(
		`SELECT extname AS name, nspname AS schema, extversion AS version
		FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace
		WHERE extname = $1`,
		[name],
	);
	return rows[0] && { ...rows[0], database };
}
