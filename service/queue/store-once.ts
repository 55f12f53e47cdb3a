import type { Pool } from "pg";
import { RESULT_COLUMNS, RESULT_ROWS, RESULT_VALUES, resultArrays } from "../counting-results/new-result";
import type { IngestJob } from "./ingest-queue";

/** Longer than any job lives in the queue, so that none is tried after its row is gone. */
const KEEP_DAYS = 45;

/** One statement, so that the row which says that a job is done comes and goes with its results. */
const STORE = `
	WITH fresh AS (
		INSERT INTO ingested_batches (job_id) VALUES ($6) ON CONFLICT DO NOTHING RETURNING job_id
	)
	INSERT INTO counting_results (${RESULT_COLUMNS})
	SELECT ${RESULT_VALUES} FROM fresh, ${RESULT_ROWS} ORDER BY position`;

/**
 * Stores the results of a job, unless an earlier try has done that, here or on the colour that was live before.
 *
 * @returns whether it was this try that stored them
 */
export async function storeOnce(pool: Pool, { id, results }: IngestJob): Promise<boolean> {
	const { rowCount } = await pool.query(STORE, [...resultArrays(results), id]);
	return rowCount !== 0;
}

/** Forgets jobs that cannot be in the queue any more. */
export async function forgetOldBatches(pool: Pool): Promise<void> {
	await pool.query("DELETE FROM ingested_batches WHERE ingested_at < now() - $1 * interval '1 day'", [
		KEEP_DAYS,
	]);
}
