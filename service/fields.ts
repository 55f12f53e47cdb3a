import { z } from "zod";

const MAX_ID = 2_147_483_647;

/** Text for a VARCHAR(max) column; PostgreSQL counts characters, not UTF-16 units. */
export function textField(max: number) {
	return z
		.string(`must be text of 1 to ${max} characters`)
		.refine((text) => text.trim() !== "" && [...text].length <= max && !text.includes("\0"), {
			error: `must be text of 1 to ${max} characters, not only blanks and without NUL`,
		});
}

/** A row's id in a JSON body. */
export const idField = z
	.int(`must be a whole number from 1 to ${MAX_ID}`)
	.min(1, `must be a whole number from 1 to ${MAX_ID}`)
	.max(MAX_ID, `must be a whole number from 1 to ${MAX_ID}`);

/** A row's id in a path or a query string. */
export const idText = z
	.string(`is required: a whole number from 1 to ${MAX_ID}`)
	.regex(/^[1-9]\d{0,9}$/, { error: `must be a whole number from 1 to ${MAX_ID}`, abort: true })
	.transform(Number)
	.pipe(idField);

/** A point in time as ISO 8601 text with its offset. */
export const timestampField = z.iso.datetime({
	offset: true,
	error: "must be an ISO 8601 time with its offset, as in 2026-01-31T08:00:00Z",
});

/** How many rows a page has. */
export function limitText(fallback: number, max: number) {
	const allowed = `must be a whole number from 1 to ${max}`;
	return z
		.string(allowed)
		.regex(/^\d{1,6}$/, { error: allowed, abort: true })
		.transform(Number)
		.pipe(z.number().min(1, allowed).max(max, allowed))
		.default(fallback);
}
