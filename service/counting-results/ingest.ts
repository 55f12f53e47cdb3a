import type { FastifyInstance } from "fastify";
import { DatabaseError, type Pool } from "pg";
import { z } from "zod";
import { idField, textField, timestampField } from "../fields";
import { Problem, parseRequest } from "../problem";

const MAX_BATCH = 5000;
const MAX_COUNT = 2_147_483_647;
const FOREIGN_KEY_VIOLATION = "23503";

const countAllowed = `must be a whole number from 0 to ${MAX_COUNT}`;
const confidenceAllowed = "must be a number from 0 to 1";

const newResult = z.strictObject({
	cameraId: idField,
	countType: textField(50),
	countValue: z.int(countAllowed).min(0, countAllowed).max(MAX_COUNT, countAllowed),
	confidenceScore: z
		.number(confidenceAllowed)
		.min(0, confidenceAllowed)
		.max(1, confidenceAllowed)
		.nullable()
		.optional(),
	createdAt: timestampField.optional(),
});

const newResults = z
	.array(newResult, "must be an array of counting results")
	.min(1, "is empty: give at least one counting result")
	.max(MAX_BATCH, `has more than ${MAX_BATCH} counting results: send several batches`);

type NewResult = z.infer<typeof newResult>;

const INSERT = `
	INSERT INTO counting_results (camera_id, count_type, count_value, confidence_score, created_at)
	SELECT camera_id, count_type, count_value, confidence_score, COALESCE(created_at, CURRENT_TIMESTAMP)
	FROM unnest($1::INTEGER[], $2::TEXT[], $3::INTEGER[], $4::NUMERIC[], $5::TIMESTAMPTZ[]) WITH ORDINALITY
		AS result (camera_id, count_type, count_value, confidence_score, created_at, position)
	ORDER BY position
	RETURNING id`;

/** POST /counting-results and /counting-results/batch. */
export function ingestRoutes(app: FastifyInstance, pool: Pool): void {
	app.post("/counting-results", async (request, reply) => {
		const result = parseRequest("body", newResult, request.body);
		const [id] = await insert(pool, [result], (_, field) => field);
		return reply.code(201).send({ id });
	});

	app.post("/counting-results/batch", async (request, reply) => {
		const results = parseRequest("body", newResults, request.body);
		const ids = await insert(pool, results, (index, field) => `[${index}].${field}`);
		return reply.code(201).send({ inserted: ids.length, ids });
	});
}

/** Inserts all of `results` or none, in one statement; the ids come back in their order. */
async function insert(
	pool: Pool,
	results: readonly NewResult[],
	fieldName: (index: number, field: string) => string,
): Promise<number[]> {
	try {
		const { rows } = await pool.query<{ id: number }>(INSERT, [
			results.map((result) => result.cameraId),
			results.map((result) => result.countType),
			results.map((result) => result.countValue),
			results.map((result) => result.confidenceScore ?? null),
			results.map((result) => result.createdAt ?? null),
		]);
		return rows.map((row) => row.id);
	} catch (error) {
		if (error instanceof DatabaseError && error.code === FOREIGN_KEY_VIOLATION) {
			throw await unknownCamera(pool, results, fieldName, error);
		}
		throw error;
	}
}

async function unknownCamera(
	pool: Pool,
	results: readonly NewResult[],
	fieldName: (index: number, field: string) => string,
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
