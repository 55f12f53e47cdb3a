import { createHash } from "node:crypto";
import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import type { Properties } from "../provider";
import type { Change, Context, Creation, Found, Handler } from "./handler";
import { actingFor, lockRole, roleExists } from "./membership";
import { isVerifier, scramVerifier } from "./scram";
import { execute, type Session } from "./statement";
import { flag, text, texts, whole } from "./values";

/** `postgresql.Role`: a role with its attributes, memberships and session defaults. */
export const role: Handler = { create, read, update, delete: remove };

const FLAGS = {
	superuser: "SUPERUSER",
	createDatabase: "CREATEDB",
	createRole: "CREATEROLE",
	inherit: "INHERIT",
	login: "LOGIN",
	bypassRowLevelSecurity: "BYPASSRLS",
	replication: "REPLICATION",
} as const;

async function create(context: Context, { planned, inputs, interrupted }: Creation): Promise<Found> {
	const { sessions, timeoutSeconds } = context;
	const name = text(planned, "name");
	return sessions.transaction(sessions.maintenanceDatabase, timeoutSeconds, async ({ client }) => {
		const left = interrupted ? await describe(client, name) : undefined;
		const verb = left === undefined ? "CREATE" : "ALTER";
		// What an ALTER leaves out would stay as it was found; what is already right may not be ours to set.
		const password = (await passwordClause(inputs)) ?? (left === undefined ? "" : "PASSWORD NULL");
		const attributes = Object.keys(FLAGS)
			.filter((attribute) => left === undefined || left[attribute] !== planned[attribute])
			.map((attribute) => flagClause(planned, attribute));
		const options = [...attributes, connectionLimitClause(planned), validUntilClause(planned), password];
		const statement = `${verb} ROLE ${escapeIdentifier(name)} WITH ${options.join(" ")}`;
		await execute(client, `create role ${name}`, statement);
		await setMemberships(client, name, texts(planned, "roles"));
		for (const setting of Object.keys(SETTINGS)) {
			await applySetting(client, name, setting, planned, left !== undefined);
		}
		return found(await describe(client, name), name);
	});
}

async function update(context: Context, { prior, planned, inputs, changed }: Change): Promise<Found> {
	const { sessions, timeoutSeconds } = context;
	const name = text(planned, "name");
	const before = text(prior, "name");
	return sessions.transaction(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
		const { client } = session;
		await lockRole(client, before);
		if (changed.has("name")) {
			const statement = `ALTER ROLE ${escapeIdentifier(before)} RENAME TO ${escapeIdentifier(name)}`;
			await execute(client, `rename role ${before} to ${name}`, statement);
		}
		const options = Object.keys(FLAGS)
			.filter((attribute) => changed.has(attribute))
			.map((attribute) => flagClause(planned, attribute));
		if (changed.has("connectionLimit")) {
			options.push(connectionLimitClause(planned));
		}
		if (changed.has("validUntil")) {
			options.push(validUntilClause(planned));
		}
		const writesPassword = inputs.passwordWo !== undefined;
		// A rename invalidates an MD5 hash, which contains the name.
		if (writesPassword ? changed.has("passwordWoVersion") : changed.has("password") || changed.has("name")) {
			options.push((await passwordClause(inputs)) ?? "");
		}
		if (options.some((option) => option !== "")) {
			const statement = `ALTER ROLE ${escapeIdentifier(name)} WITH ${options.join(" ")}`;
			await execute(client, `change role ${name}`, statement);
		}
		await setMemberships(client, name, texts(planned, "roles"));
		for (const setting of Object.keys(SETTINGS).filter((each) => changed.has(each))) {
			await applySetting(client, name, setting, planned, true);
		}
		const actual = await describe(client, name);
		return found({ ...actual, ...(await password(session, context, planned)) }, name);
	});
}

async function remove(context: Context, prior: Properties): Promise<void> {
	const { sessions, timeoutSeconds } = context;
	const name = text(prior, "name");
	await sessions.transaction(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
		const { client, user } = session;
		await lockRole(client, name);
		if (!(await roleExists(client, name))) {
			return;
		}
		const identifier = escapeIdentifier(name);
		if (!flag(prior, "skipReassignOwned")) {
			await actingFor(session, [name], async () => {
				const reassign = `REASSIGN OWNED BY ${identifier} TO ${escapeIdentifier(user)}`;
				await execute(client, `give what role ${name} owns to ${user}`, reassign);
				await execute(client, `take the privileges of role ${name}`, `DROP OWNED BY ${identifier}`);
			});
		}
		if (!flag(prior, "skipDropRole")) {
			await execute(client, `drop role ${name}`, `DROP ROLE ${identifier}`);
		}
	});
}

async function read(context: Context, id: string, prior: Properties): Promise<Found | undefined> {
	const { sessions, timeoutSeconds } = context;
	return sessions.run(sessions.maintenanceDatabase, timeoutSeconds, async (session) => {
		const actual = await describe(session.client, id);
		const known = { skipDropRole: false, skipReassignOwned: false, ...prior };
		return (
			actual && {
				id,
				properties: { ...known, ...actual, ...(await password(session, context, { ...prior, ...actual })) },
			}
		);
	});
}

function found(actual: Properties | undefined, name: string): Found {
	if (actual === undefined) {
		throw new Error(`role ${name} has disappeared while it was being changed: run the update again`);
	}
	return { id: name, properties: actual };
}

function flagClause(planned: Properties, attribute: string): string {
	const keyword = FLAGS[attribute as keyof typeof FLAGS];
	return flag(planned, attribute) ? keyword : `NO${keyword}`;
}

function connectionLimitClause(planned: Properties): string {
	return `CONNECTION LIMIT ${whole(planned, "connectionLimit")}`;
}

function validUntilClause(planned: Properties): string {
	return `VALID UNTIL ${escapeLiteral(text(planned, "validUntil") || "infinity")}`;
}

/** The password as its hash; undefined when the program gives none. */
async function passwordClause(inputs: Properties): Promise<string | undefined> {
	const given = text(inputs, "passwordWo") || text(inputs, "password");
	if (given === "") {
		return undefined;
	}
	if (given.toUpperCase() === "NULL") {
		return "PASSWORD NULL";
	}
	return `PASSWORD ${escapeLiteral(isVerifier(given) ? given : await scramVerifier(given))}`;
}

async function setMemberships(client: Client, name: string, wanted: string[]): Promise<void> {
	const { rows } = await client.query<{ role: string }>(
		`SELECT DISTINCT pg_catalog.pg_get_userbyid(roleid) AS role FROM pg_catalog.pg_auth_members
		WHERE pg_catalog.pg_get_userbyid(member) = $1`,
		[name],
	);
	const current = rows.map((row) => row.role);
	for (const each of current.filter((role) => !wanted.includes(role))) {
		const statement = `REVOKE ${escapeIdentifier(each)} FROM ${escapeIdentifier(name)}`;
		await execute(client, `end the membership of ${name} in ${each}`, statement);
	}
	for (const each of wanted.filter((role) => !current.includes(role))) {
		const statement = `GRANT ${escapeIdentifier(each)} TO ${escapeIdentifier(name)}`;
		await execute(client, `make ${name} a member of ${each}`, statement);
	}
}

/** Session defaults of a role, and how each is written. */
const SETTINGS: { [property: string]: { parameter: string; value: (planned: Properties) => string } } = {
	searchPaths: {
		parameter: "search_path",
		value: (planned) => texts(planned, "searchPaths").map(escapeIdentifier).join(", "),
	},
	statementTimeout: {
		parameter: "statement_timeout",
		value: (planned) => String(whole(planned, "statementTimeout") || ""),
	},
	idleInTransactionSessionTimeout: {
		parameter: "idle_in_transaction_session_timeout",
		value: (planned) => String(whole(planned, "idleInTransactionSessionTimeout") || ""),
	},
	assumeRole: {
		parameter: "role",
		value: (planned) =>
			text(planned, "assumeRole") === "" ? "" : escapeLiteral(text(planned, "assumeRole")),
	},
};

async function applySetting(
	client: Client,
	name: string,
	property: string,
	planned: Properties,
	reset: boolean,
): Promise<void> {
	const setting = SETTINGS[property];
	const value = setting?.value(planned) ?? "";
	if (setting === undefined || (value === "" && !reset)) {
		return;
	}
	const change = value === "" ? `RESET ${setting.parameter}` : `SET ${setting.parameter} TO ${value}`;
	await execute(
		client,
		`set ${setting.parameter} of ${name}`,
		`ALTER ROLE ${escapeIdentifier(name)} ${change}`,
	);
}

interface RoleRow {
	rolsuper: boolean;
	rolinherit: boolean;
	rolcreaterole: boolean;
	rolcreatedb: boolean;
	rolcanlogin: boolean;
	rolreplication: boolean;
	rolbypassrls: boolean;
	rolconnlimit: number;
	valid_until: string;
	settings: string[];
	roles: string[];
}

async function describe(client: Client, name: string): Promise<Properties | undefined> {
	const { rows } = await client.query<RoleRow>(
		`SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
			rolconnlimit, COALESCE(rolvaliduntil::text, 'infinity') AS valid_until,
			COALESCE(rolconfig, '{}') AS settings,
			ARRAY(SELECT DISTINCT pg_catalog.pg_get_userbyid(roleid)::text FROM pg_catalog.pg_auth_members
				WHERE member = pg_roles.oid) AS roles
		FROM pg_catalog.pg_roles WHERE rolname = $1`,
		[name],
	);
	const [row] = rows;
	const setting = (parameter: string) =>
		row?.settings.find((each) => each.startsWith(`${parameter}=`))?.slice(parameter.length + 1);
	return (
		row && {
			name,
			superuser: row.rolsuper,
			inherit: row.rolinherit,
			createRole: row.rolcreaterole,
			createDatabase: row.rolcreatedb,
			login: row.rolcanlogin,
			replication: row.rolreplication,
			bypassRowLevelSecurity: row.rolbypassrls,
			connectionLimit: row.rolconnlimit,
			validUntil: row.valid_until,
			roles: row.roles,
			encryptedPassword: true,
			assumeRole: setting("role") ?? "",
			searchPaths: (setting("search_path")?.split(", ") ?? []).map((part) => part.replace(/^"|"$/g, "")),
			statementTimeout: Number(setting("statement_timeout") ?? 0),
			idleInTransactionSessionTimeout: Number(setting("idle_in_transaction_session_timeout") ?? 0),
		}
	);
}

/**
 * The password as the state shall know it. A superuser sees whether the server has one at all; whether it is another
 * one cannot be told from its hash.
 */
async function password(session: Session, { sessions }: Context, known: Properties): Promise<Properties> {
	const given = text(known, "password");
	if (given === "" || !flag(known, "login") || !sessions.settings.superuser) {
		return {};
	}
	if (!session.isSuperuser) {
		throw new Error(
			`the password of role ${text(known, "name")} cannot be read: ${session.user} is no superuser; ` +
				"set `superuser: false` on the provider",
		);
	}
	const { rows } = await session.client.query<{ hash: string }>(
		"SELECT COALESCE(passwd, '') AS hash FROM pg_catalog.pg_shadow WHERE usename = $1",
		[text(known, "name")],
	);
	const hash = rows[0]?.hash ?? "";
	if (isVerifier(given)) {
		return { password: hash };
	}
	const md5 = `md5${createHash("md5")
		.update(given + text(known, "name"))
		.digest("hex")}`;
	return { password: hash.startsWith("SCRAM-SHA-256") || hash === md5 ? given : hash };
}
