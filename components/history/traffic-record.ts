import type { ClientBase } from "pg";
import { z } from "zod";

/** What the audit log says of who has the traffic, each time that this was written down. */
const trafficNoteSchema = z.object({
	/** In ISO 8601. */
	at: z.string(),
	/** Of the colour that has the traffic. */
	database: z.string().nullable(),
	/** Whether the traffic went back there, since what had it did not bear it. */
	wentBack: z.boolean(),
	/** Whether it is as the log found it when it began, and not when it came to be. */
	found: z.boolean(),
	/** The release of that database, as far as the catalog still has it. Needed only of what was found. */
	release: z.string().nullable(),
});

export type TrafficNote = z.infer<typeof trafficNoteSchema>;

/** What a catalog knows of its traffic. */
export interface TrafficRecord {
	/** Whether there are colours. In place, a release is live from the end of its deployment on. */
	hasColors: boolean;
	/** Oldest first; none in place, and in a catalog that has no audit log yet. */
	notes: TrafficNote[];
}

/** Reads when the traffic has moved between colours: the row of the colours has each time another time of its switch then. */
export async function readTraffic(client: ClientBase): Promise<TrafficRecord> {
	const { rows: known } = await client.query<{ hasColors: boolean; hasLog: boolean }>(
		`SELECT EXISTS (SELECT FROM blue_green_deployments) AS "hasColors",
			to_regclass('audit_log') IS NOT NULL AS "hasLog"`,
	);
	const { hasColors = false, hasLog = false } = known[0] ?? {};
	if (!hasColors || !hasLog) {
		return { hasColors, notes: [] };
	}
	const { rows } = await client.query(
		`SELECT to_json(recorded_at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS at, database, op = 'found' AS found,
			content ->> 'deployment_status' = 'failed' AND op <> 'found' AS "wentBack",
			CASE WHEN content ->> 'switch_completed_at' IS NOT NULL THEN release END AS release
		FROM (
			SELECT id, recorded_at, event ->> 'op' AS op, event -> 'row' AS content,
				event -> 'row' ->> (event -> 'row' ->> 'current_active' || '_database_name') AS database,
				lag(event -> 'row' ->> 'switch_completed_at')
					OVER (PARTITION BY event -> 'row' ->> 'id' ORDER BY id) AS before
			FROM audit_log WHERE kind = 'blue_green_deployments'
		) AS told LEFT JOIN color_releases ON database_name = database
		WHERE op = 'found' OR (op <> 'delete' AND content ->> 'switch_completed_at' <> coalesce(before, ''))
		ORDER BY id`,
	);
	return { hasColors, notes: z.array(trafficNoteSchema).parse(rows) };
}
