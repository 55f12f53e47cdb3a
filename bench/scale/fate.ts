import { type Connection, withClient } from "../../components/database/connection";

/** What became of what was written. */
export interface Fate {
	acknowledged: number;
	failures: string[];
	lost: number;
	doubled: number;
	/** Rows that the two colours do not both have. */
	differing: number;
}

export interface Written {
	run: string;
	cameraId: number;
	/** Names of the rows whose insertion was acknowledged. */
	inserted: readonly string[];
	failures: string[];
}

/** Looks up every inserted row on the live colour, and on the other one, which has caught up. */
export async function fateOf(written: Written, live: Connection, idle: Connection): Promise<Fate> {
	const [here, there] = await Promise.all([namesIn(live, written), namesIn(idle, written)]);
	const [names, others] = [new Set(here), new Set(there)];
	return {
		acknowledged: written.inserted.length,
		failures: written.failures,
		lost: written.inserted.filter((name) => !names.has(name)).length,
		doubled: here.length - names.size + (there.length - others.size),
		differing:
			[...names].filter((name) => !others.has(name)).length +
			[...others].filter((name) => !names.has(name)).length,
	};
}

async function namesIn(connection: Connection, { run, cameraId }: Written): Promise<string[]> {
	return withClient(connection, { applicationName: "bench", statementTimeoutMs: 120_000 }, async (client) => {
		const { rows } = await client.query<{ name: string }>(
			"SELECT count_type AS name FROM counting_results WHERE camera_id = $1 AND starts_with(count_type, $2)",
			[cameraId, `${run}-`],
		);
		return rows.map(({ name }) => name);
	});
}
