import { type Connection, withClient } from "../components/database/connection";
import type { AcknowledgedWrite } from "./load";

export interface Verification {
	checked: number;
	/** Acknowledged writes that are not there, or not as they were written. */
	lost: string[];
	/** Markers that are there more than once. */
	duplicated: string[];
}

const TIMEOUT_MS = 60_000;

/** Looks in a database for each acknowledged write. */
export async function verifyWrites(
	database: Connection,
	acknowledged: readonly AcknowledgedWrite[],
): Promise<Verification> {
	const session = { applicationName: "verification", statementTimeoutMs: TIMEOUT_MS };
	const rows = await withClient(database, session, async (client) => {
		const found = await client.query<{ marker: string; id: number; value: number }>(
			`SELECT count_type AS marker, id, count_value AS value FROM counting_results
			WHERE count_type = ANY ($1)`,
			[acknowledged.map(({ marker }) => marker)],
		);
		return found.rows;
	});
	const there = new Map<string, { id: number; value: number }>();
	const duplicated = new Set<string>();
	for (const row of rows) {
		if (there.has(row.marker)) {
			duplicated.add(row.marker);
		}
		there.set(row.marker, row);
	}
	const lost = acknowledged
		.filter(({ marker, id, value }) => {
			const row = there.get(marker);
			return row === undefined || row.id !== id || row.value !== value;
		})
		.map(({ marker }) => marker);
	return { checked: acknowledged.length, lost, duplicated: [...duplicated] };
}
