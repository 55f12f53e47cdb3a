import { escapeIdentifier } from "pg";
import type { Properties } from "../provider";
import { exists, PUBLIC } from "./grant";
import { granteeOid } from "./granted";
import type { Context, Found, Handler } from "./handler";
import { actingFor, lockDatabase, lockRole, roleExists } from "./membership";
import { isGranted, validatePrivileges } from "./privileges";
import { execute, type Session } from "./statement";
import { flag, text, texts } from "./values";

/** `postgresql.DefaultPrivileges`: what a role may do with objects that an owner makes from now on. */
export const defaultPrivileges: Handler = {
	create: (context, creation) => apply(context, creation.planned),
	update: (context, change) => apply(context, change.planned),
	read,
	delete: remove,
};

async function apply(context: Context, planned: Properties): Promise<Found> {
	validate(planned);
	const owner = text(planned, "owner");
	return context.sessions.transaction(text(planned, "database"), context.timeoutSeconds, async (session) => {
		validatePrivileges(planned, session.serverVersion);
		const { client } = session;
		await lock(session, planned);
		await actingFor(session, [owner], async () => {
			await execute(client, `revoke default privileges of ${owner}'s objects`, revokeStatement(planned));
			if (texts(planned, "privileges").length > 0) {
				await execute(client, `grant default privileges on ${owner}'s objects`, grantStatement(planned));
			}
		});
		const granted = await readDefaults(session, planned);
		if (granted.length === 0 && texts(planned, "privileges").length > 0) {
			throw new Error(
				`the default privileges on ${owner}'s objects are what PostgreSQL gives anyway, and so not recorded: ` +
					"leave this resource out",
			);
		}
		return { id: identify(planned), properties: difference(granted, planned, session) };
	});
}

async function remove(context: Context, prior: Properties): Promise<void> {
	if (!(await exists(context, prior))) {
		return;
	}
	await context.sessions.transaction(text(prior, "database"), context.timeoutSeconds, async (session) => {
		const owner = text(prior, "owner");
		await lock(session, prior);
		if (await roleExists(session.client, owner)) {
			await actingFor(session, [owner], () =>
				execute(session.client, `revoke default privileges of ${owner}'s objects`, revokeStatement(prior)),
			);
		}
	});
}

async function read(context: Context, _id: string, prior: Properties): Promise<Found | undefined> {
	if (text(prior, "database") === "" || !(await exists(context, prior))) {
		return undefined;
	}
	return context.sessions.run(text(prior, "database"), context.timeoutSeconds, async (session) => {
		const granted = await readDefaults(session, prior);
		// Without any privilege it is gone, unless having none is what was asked for.
		return granted.length === 0 && texts(prior, "privileges").length > 0
			? undefined
			: { id: identify(prior), properties: difference(granted, prior, session) };
	});
}

function validate(planned: Properties): void {
	if (text(planned, "objectType") === "schema" && text(planned, "schema") !== "") {
		throw new Error("default privileges with `objectType` schema: `schema` must be left out");
	}
	if (flag(planned, "withGrantOption") && text(planned, "role").toLowerCase() === PUBLIC) {
		throw new Error("default privileges of `role` public: `withGrantOption` must be false");
	}
}

async function lock({ client }: Session, planned: Properties): Promise<void> {
	await lockRole(client, text(planned, "owner"));
	await lockDatabase(client, text(planned, "database"));
}

function prefix(planned: Properties): string {
	const schema = text(planned, "schema");
	const inSchema = schema === "" ? "" : ` IN SCHEMA ${escapeIdentifier(schema)}`;
	return `ALTER DEFAULT PRIVILEGES FOR ROLE ${escapeIdentifier(text(planned, "owner"))}${inSchema}`;
}

function grantStatement(planned: Properties): string {
	const objects = `${text(planned, "objectType").toUpperCase()}S`;
	const option = flag(planned, "withGrantOption") ? " WITH GRANT OPTION" : "";
	const role = escapeIdentifier(text(planned, "role"));
	return `${prefix(planned)} GRANT ${texts(planned, "privileges").join(", ")} ON ${objects} TO ${role}${option}`;
}

function revokeStatement(planned: Properties): string {
	const objects = `${text(planned, "objectType").toUpperCase()}S`;
	return `${prefix(planned)} REVOKE ALL ON ${objects} FROM ${escapeIdentifier(text(planned, "role"))}`;
}

const OBJECT_KINDS: { [objectType: string]: string } = {
	table: "r",
	sequence: "S",
	function: "f",
	routine: "f",
	type: "T",
	schema: "n",
};

async function readDefaults(session: Session, known: Properties): Promise<string[]> {
	const { rows } = await session.client.query<{ privilege: string }>(
		`SELECT DISTINCT entries.privilege_type AS privilege FROM pg_catalog.pg_default_acl
		CROSS JOIN LATERAL pg_catalog.aclexplode(defaclacl) AS entries
		LEFT JOIN pg_catalog.pg_namespace ON pg_namespace.oid = defaclnamespace
		WHERE entries.grantee = $1 AND defaclobjtype = $2 AND COALESCE(nspname, '') = $3
			AND pg_catalog.pg_get_userbyid(entries.grantor) = $4`,
		[
			await granteeOid(session, text(known, "role")),
			OBJECT_KINDS[text(known, "objectType")],
			text(known, "schema"),
			text(known, "owner"),
		],
	);
	return rows.map((row) => row.privilege);
}

function difference(granted: string[], known: Properties, session: Session): Properties {
	return isGranted(granted, known, session.serverVersion) ? {} : { privileges: granted };
}

function identify(planned: Properties): string {
	const { role, database, owner, objectType } = {
		role: text(planned, "role"),
		database: text(planned, "database"),
		owner: text(planned, "owner"),
		objectType: text(planned, "objectType"),
	};
	return [role, database, text(planned, "schema") || "noschema", owner, objectType].join("_");
}
