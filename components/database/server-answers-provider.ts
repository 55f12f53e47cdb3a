import { z } from "zod";
import { poll } from "../local/deadline";
import { defineProvider } from "../provider/define";
import { keepMadeRoles } from "./administrator";
import { connectionSchema, withClient } from "./connection";

const inputs = z.object({
	connection: connectionSchema,
	instance: z.string(),
	timeoutSeconds: z.number(),
});

type Inputs = z.infer<typeof inputs>;

export const provider = defineProvider<Inputs, Inputs>({
	inputs,
	outputs: inputs,
	ignore: ["timeoutSeconds"],
	async create(wanted) {
		await untilAnswered(wanted);
		return { id: `${wanted.connection.host}:${wanted.connection.port}`, outputs: wanted };
	},
	async update(_id, wanted) {
		await untilAnswered(wanted);
		return wanted;
	},
	/** The server goes by itself. */
	async delete() {},
});

const POLL_INTERVAL_MS = 200;

const WRONG_PASSWORD = "28P01";

/** @throws Error with the last reason when nobody lets us in in time, and at once when the password is another one */
async function untilAnswered({ connection, timeoutSeconds }: Inputs): Promise<void> {
	let last: unknown;
	const answered = await poll(timeoutSeconds * 1000, POLL_INTERVAL_MS, async () => {
		try {
			await withClient(connection, { applicationName: "deployment-server" }, (client) =>
				keepMadeRoles(client),
			);
			return true;
		} catch (error) {
			last = error;
			return isWrongPassword(error) ? false : undefined;
		}
	});
	const { host, port, user } = connection;
	const why = last instanceof Error ? `: ${last.message}` : "";
	if (answered === false) {
		throw new Error(
			`the database server at ${host}:${port} has another password for ${user} than this stack, so that it was not made by ` +
				`it: use what an earlier stack has left there with that stack's state, or remove it${why}`,
			{ cause: last },
		);
	}
	if (answered === undefined) {
		throw new Error(`the database server does not answer after ${timeoutSeconds} s${why}`, { cause: last });
	}
}

function isWrongPassword(error: unknown): boolean {
	return (
		error instanceof Error &&
		((error as { code?: unknown }).code === WRONG_PASSWORD || isWrongPassword(error.cause))
	);
}
