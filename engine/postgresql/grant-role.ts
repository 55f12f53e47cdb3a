import { type Client, escapeIdentifier } from "pg";
import type { Properties } from "../provider";
import type { Context, Creation, Found, Handler } from "./handler";
import { lockRole, roleExists } from "./membership";
import { execute } from "./statement";
import { flag, text } from "./values";

/** `postgresql.GrantRole`: the membership of one role in another. */
export const grantRole: Handler = {
	create,
	read,
	update: async () => {
		throw new Error("a membership cannot be changed, only replaced");
	},
	delete: remove,
};

async function create({ sessions, timeoutSeconds }: Context, { planned }: Creation): Promise<Found> {
	return sessions.transaction(sessions.maintenanceDatabase, timeoutSeconds, async ({ client }) => {
		const [role, granted] = [text(planned, "role"), text(planned, "grantRole")];
		await lockRole(client, granted);
		// Granting alone would keep an admin option that is no longer wanted.
		await execute(client, `end the membership of ${role} in ${granted}`, revokeStatement(planned));
		const option = flag(planned, "withAdminOption") ? " WITH ADMIN OPTION" : "";
		const statement = `GRANT ${escapeIdentifier(granted)} TO ${escapeIdentifier(role)}${option}`;
		await execute(client, `make ${role} a member of ${granted}`, statement);
		const found = await describe(client, planned);
		if (found === undefined) {
			throw new Error(`${role} is not a member of ${granted} after the grant: run the update again`);
		}
		return found;
	});
}

async function read({ sessions, timeoutSeconds }: Context, _id: string, prior: Properties) {
	return sessions.run(sessions.maintenanceDatabase, timeoutSeconds, ({ client }) => describe(client, prior));
}

async function remove({ sessions, timeoutSeconds }: Context, prior: Properties): Promise<void> {
	await sessions.transaction(sessions.maintenanceDatabase, timeoutSeconds, async ({ client }) => {
		const [role, granted] = [text(prior, "role"), text(prior, "grantRole")];
		await lockRole(client, granted);
		if ((await roleExists(client, role)) && (await roleExists(client, granted))) {
			await execute(client, `end the membership of ${role} in ${granted}`, revokeStatement(prior));
		}
	});
}

function revokeStatement(properties: Properties): string {
	return `REVOKE ${escapeIdentifier(text(properties, "grantRole"))} FROM ${escapeIdentifier(text(properties, "role"))}`;
}

async function describe(client: Client, known: Properties): Promise<Found | undefined> {
	const [role, granted] = [text(known, "role"), text(known, "grantRole")];
	const { rows } = await client.query<{ admin: boolean | null }>(
		`SELECT bool_or(admin_option) AS admin FROM pg_catalog.pg_auth_members
		WHERE pg_catalog.pg_get_userbyid(member) = $1 AND pg_catalog.pg_get_userbyid(roleid) = $2`,
		[role, granted],
	);
	const admin = rows[0]?.admin ?? undefined;
	if (admin === undefined) {
		return undefined;
	}
	const properties = { role, grantRole: granted, withAdminOption: admin };
	return { id: `${role}_${granted}_${admin}`, properties };
}
