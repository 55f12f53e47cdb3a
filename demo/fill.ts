import { type Connection, withClient } from "../components/database/connection";

const CAMERAS = 50;
const TIMEOUT_MS = 300_000;

/**
 * Fills a database with cameras and counting results of the last days.
 *
 * @returns the cameras' ids
 */
export async function fill(database: Connection, results: number): Promise<number[]> {
	const session = { applicationName: "fill", statementTimeoutMs: TIMEOUT_MS };
	return withClient(database, session, async (client) => {
		const { rows } = await client.query<{ id: number }>(
			`INSERT INTO cameras (camera_name, location)
			SELECT 'camera ' || number, 'gate ' || number FROM generate_series(1, $1::integer) AS number RETURNING id`,
			[CAMERAS],
		);
		const ids = rows.map(({ id }) => id);
		await client.query(
			`INSERT INTO counting_results (camera_id, count_type, count_value, confidence_score, created_at)
			SELECT ($2::integer[])[1 + number % $3], CASE number % 3 WHEN 0 THEN 'person' WHEN 1 THEN 'car' ELSE 'bicycle' END,
				number % 100, (number % 1000) / 1000.0, now() - number * interval '1 second'
			FROM generate_series(1, $1::integer) AS number`,
			[results, ids, CAMERAS],
		);
		return ids;
	});
}
