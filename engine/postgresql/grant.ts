import { crc32 } from "node:zlib";
import { escapeIdentifier } from "pg";
import type { Properties } from "../provider";
import { readGranted } from "./granted";
import type { Context, Found, Handler } from "./handler";
import { actingFor, databaseExists, databaseOwner, lockDatabase, lockRole, roleExists } from "./membership";
import { validatePrivileges } from "./privileges";
import { execute, type Session } from "./statement";
import { flag, text, texts } from "./values";

/** `postgresql.Grant`: exactly these privileges of a role on a database, a schema, or objects in a schema. */
export const grant: Handler = {
	create: (context, creation) => apply(context, creation.planned, creation.planned),
	update: (context, change) => apply(context, change.planned, change.prior),
	read,
	delete: remove,
};

export const PUBLIC = "public";
const WITHOUT_SCHEMA = ["database", "foreign_data_wrapper", "foreign_server"];

async function apply(context: Context, planned: Properties, previous: Properties): Promise<Found> {
	validate(planned);
	const database = text(planned, "database");
	return context.sessions.transaction(database, context.timeoutSeconds, async (session) => {
		validatePrivileges(planned, session.serverVersion);
		const { client } = session;
		const role = text(planned, "role");
		await lock(session, planned);
		await actingFor(session, await owners(session, planned), async () => {
			// In one transaction, so that nobody ever sees the role without its privileges.
			await execute(client, `revoke the privileges of ${role}`, revokeStatement(previous));
			if (texts(planned, "privileges").length > 0) {
				await execute(client, `grant privileges to ${role}`, grantStatement(planned));
			}
		});
		return { id: identify(planned), properties: await readGranted(session, planned) };
	});
}

async function remove({ sessions, timeoutSeconds }: Context, prior: Properties): Promise<void> {
	if (!(await exists({ sessions, timeoutSeconds }, prior))) {
		return;
	}
	await sessions.transaction(text(prior, "database"), timeoutSeconds, async (session) => {
		await lock(session, prior);
		await actingFor(session, await owners(session, prior), () =>
			execute(session.client, `revoke the privileges of ${text(prior, "role")}`, revokeStatement(prior)),
		);
	});
}

async function read(context: Context, _id: string, prior: Properties): Promise<Found | undefined> {
	// Its id does not tell the parts apart: it cannot be read without its properties.
	if (text(prior, "database") === "" || !(await exists(context, prior))) {
		return undefined;
	}
	return context.sessions.run(text(prior, "database"), context.timeoutSeconds, async (session) => ({
		id: identify(prior),
		properties: await readGranted(session, prior),
	}));
}

/** Whether database, role and schema of a grant are all there. */
export async function exists({ sessions, timeoutSeconds }: Context, grant: Properties): Promise<boolean> {
	const database = text(grant, "database");
	const role = text(grant, "role");
	const schema = WITHOUT_SCHEMA.includes(text(grant, "objectType")) ? "" : text(grant, "schema");
	const isThere = await sessions.run(
		sessions.maintenanceDatabase,
		timeoutSeconds,
		async ({ client }) =>
			(await databaseExists(client, database)) && (role === PUBLIC || (await roleExists(client, role))),
	);
	return (
		isThere &&
		(schema === "" ||
			sessions.run(database, timeoutSeconds, async ({ client }) => {
				const { rows } = await client.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [
					schema,
				]);
				return rows.length > 0;
			}))
	);
}

function validate(planned: Properties): void {
	const objectType = text(planned, "objectType");
	const count = (name: string) => texts(planned, name).length;
	const isColumn = objectType === "column";
	const rules: [boolean, string][] = [
		[!WITHOUT_SCHEMA.includes(objectType) && text(planned, "schema") === "", "`schema` is missing"],
		[["database", "schema"].includes(objectType) && count("objects") > 0, "`objects` must be left out"],
		[!isColumn && count("columns") > 0, "`columns` must be left out"],
		[isColumn && count("columns") === 0, "`columns` must name at least one"],
		[isColumn && count("privileges") !== 1, "`privileges` must name exactly one"],
		[
			(isColumn || objectType.startsWith("foreign_")) && count("objects") !== 1,
			"`objects` must name exactly one",
		],
	];
	const broken = rules.filter(([isBroken]) => isBroken).map(([, message]) => message);
	if (broken.length > 0) {
		throw new Error(`a grant with \`objectType\` ${objectType}: ${broken.join("; ")}`);
	}
}

/** Two grants on one object at the same time would fail; so one at a time per database. */
async function lock({ client }: Session, grant: Properties): Promise<void> {
	await lockRole(client, text(grant, "role"));
	await lockDatabase(client, text(grant, "database"));
}

const DATABASE_OWNER = "pg_database_owner";

/** Who may grant on the objects in question: whom a user that is no superuser has to act for. */
async function owners({ client }: Session, grant: Properties): Promise<string[]> {
	const objectType = text(grant, "objectType");
	if (objectType === "database") {
		// Anyone else's GRANT is a mere warning to PostgreSQL; the plugin leaves it at that.
		return [await databaseOwner(client)];
	}
	if (WITHOUT_SCHEMA.includes(objectType)) {
		return [];
	}
	const schema = text(grant, "schema");
	const { rows } = await client.query<{ owner: string }>(
		`SELECT pg_catalog.pg_get_userbyid(nspowner) AS owner FROM pg_catalog.pg_namespace WHERE nspname = $1
		UNION SELECT tableowner FROM pg_catalog.pg_tables WHERE schemaname = $1 AND $2`,
		[schema, objectType !== "schema"],
	);
	if (rows.length === 0) {
		throw new Error(
			`schema ${schema} does not exist in database ${text(grant, "database")}: create it first`,
		);
	}
	const found = rows.map((row) => row.owner);
	return found.includes(DATABASE_OWNER)
		? [...found.filter((owner) => owner !== DATABASE_OWNER), await databaseOwner(client)]
		: found;
}

function grantStatement(planned: Properties): string {
	const privileges = texts(planned, "privileges").join(", ");
	const columns = columnList(planned);
	const option = flag(planned, "withGrantOption") ? " WITH GRANT OPTION" : "";
	return `GRANT ${privileges}${columns} ON ${target(planned)} TO ${grantee(planned)}${option}`;
}

function revokeStatement(grant: Properties): string {
	const objectType = text(grant, "objectType");
	const privileges = texts(grant, "privileges");
	// Named privileges on named objects only: ALL would also take what was granted on their columns.
	const isNamed = texts(grant, "objects").length > 0 && !objectType.startsWith("foreign_");
	const revoked = isNamed && privileges.length > 0 ? privileges.join(", ") : "ALL PRIVILEGES";
	return `REVOKE ${revoked}${columnList(grant)} ON ${target(grant)} FROM ${grantee(grant)}`;
}

/** `public` in quotes is the pseudo-role too. */
function grantee(grant: Properties): string {
	return escapeIdentifier(text(grant, "role"));
}

function columnList(grant: Properties): string {
	const columns = texts(grant, "columns");
	return columns.length === 0 ? "" : ` (${columns.map(escapeIdentifier).join(", ")})`;
}

function target(grant: Properties): string {
	const objectType = text(grant, "objectType");
	const schema = escapeIdentifier(text(grant, "schema"));
	const objects = texts(grant, "objects");
	const qualified = objects.map((object) => `${schema}.${quoteSignature(object)}`).join(", ");
	const keyword = objectType.toUpperCase().replaceAll("_", " ");
	switch (objectType) {
		case "database":
			return `DATABASE ${escapeIdentifier(text(grant, "database"))}`;
		case "schema":
			return `SCHEMA ${schema}`;
		case "foreign_data_wrapper":
		case "foreign_server":
			return `${keyword} ${objects.map(escapeIdentifier).join(", ")}`;
		case "column":
			return `TABLE ${qualified}`;
		default:
			return objects.length > 0 ? `${keyword} ${qualified}` : `ALL ${keyword}S IN SCHEMA ${schema}`;
	}
}

/** `total(int, text)` → `"total"(int, text)`: the types of a function's arguments tell it from others of its name. */
function quoteSignature(object: string): string {
	const start = object.indexOf("(");
	return start < 0
		? escapeIdentifier(object)
		: escapeIdentifier(object.slice(0, start)) + object.slice(start);
}

function identify(grant: Properties): string {
	const objectType = text(grant, "objectType");
	const schema = WITHOUT_SCHEMA.includes(objectType) ? [] : [text(grant, "schema")];
	return [
		text(grant, "role"),
		text(grant, "database"),
		...schema,
		objectType,
		...inHashOrder(texts(grant, "objects")),
		...inHashOrder(texts(grant, "columns")),
	].join("_");
}

/** The order in which the plugin names the members of a set in an id. */
function inHashOrder(elements: string[]): string[] {
	const keyed = elements.map((element) => ({ element, key: String(crc32(element)) }));
	return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ element }) => element);
}
