import { z } from "zod";
import { idField, textField, timestampField } from "../fields";

const MAX_BATCH = 5000;
const MAX_COUNT = 2_147_483_647;

const countAllowed = `must be a whole number from 0 to ${MAX_COUNT}`;
const confidenceAllowed = "must be a number from 0 to 1";

/** A counting result as a client hands it in. */
export const newResult = z.strictObject({
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

export const newResults = z
	.array(newResult, "must be an array of counting results")
	.min(1, "is empty: give at least one counting result")
	.max(MAX_BATCH, `has more than ${MAX_BATCH} counting results: send several batches`);

export type NewResult = z.infer<typeof newResult>;

/** Columns of `counting_results` that a client's result fills. */
export const RESULT_COLUMNS = "camera_id, count_type, count_value, confidence_score, created_at";
/** Their values from a row of {@link RESULT_ROWS}. */
export const RESULT_VALUES =
	"camera_id, count_type, count_value, confidence_score, COALESCE(created_at, CURRENT_TIMESTAMP)";
/** The first five parameters, which {@link resultArrays} makes, as rows; to be ordered by `position`. */
export const RESULT_ROWS = `unnest($1::INTEGER[], $2::TEXT[], $3::INTEGER[], $4::NUMERIC[], $5::TIMESTAMPTZ[])
	WITH ORDINALITY AS result (camera_id, count_type, count_value, confidence_score, created_at, position)`;

/** Results column by column, so that one statement takes any number of them. */
export function resultArrays(results: readonly NewResult[]): unknown[][] {
	return [
		results.map((result) => result.cameraId),
		results.map((result) => result.countType),
		results.map((result) => result.countValue),
		results.map((result) => result.confidenceScore ?? null),
		results.map((result) => result.createdAt ?? null),
	];
}

export function camerasOf(results: readonly NewResult[]): Set<number> {
	return new Set(results.map(({ cameraId }) => cameraId));
}
