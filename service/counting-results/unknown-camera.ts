import { DatabaseError, type Pool } from "pg";
import { Problem } from "../problem";
import type { NewResult } from "./new-result";

const FOREIGN_KEY_VIOLATION = "23503";

/** A field's name in a request, by the position of its result. */
export type FieldName = (index: number, field: string) => string;

/** Why results could not be stored: a Problem 422 that names the cameras which there are not, else the error itself. */
export async function explainRefusal(
	pool: Pool,
	results: readonly NewResult[],
	fieldName: FieldName,
	error: unknown,
): Promise<unknown> {
	return error instanceof DatabaseError && error.code === FOREIGN_KEY_VIOLATION
		? unknownCamera(pool, results, fieldName, error)
		: error;
}

async function unknownCamera(
	pool: Pool,
	results: readonly NewResult[],
	fieldName: FieldName,
	cause: DatabaseError,
): Promise<Problem> {
	const { rows } = await pool.query<{ id: number }>("SELECT id FROM cameras WHERE id = ANY($1::INTEGER[])", [
		results.map((result) => result.cameraId),
	]);
	const known = new Set(rows.map((row) => row.id));
	const details = results.flatMap(({ cameraId }, index) =>
		known.has(cameraId)
			? []
			: [{ field: fieldName(index, "cameraId"), message: `there is no camera ${cameraId}` }],
	);
	const missing = [...new Set(results.map((result) => result.cameraId).filter((id) => !known.has(id)))];
	// A camera may have been made between the two statements: then the same request will succeed.
	const message =
		missing.length === 0
			? "a camera was not there yet: send the same again"
			: `unknown camera ${missing.join(", ")}: create it first; nothing was stored`;
	return new Problem(422, "unknown_camera", message, details, { cause });
}
