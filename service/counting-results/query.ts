import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { idField, idText, limitText, textField, timestampField } from "../fields";
import { parseRequest } from "../problem";
import type { ServiceContext } from "../server";
import { HourlyCache, type HourlyTotal } from "./hourly-cache";

const HOUR_MS = 3_600_000;
const MAX_HOURS = 24 * 366;

const cursorSchema = z.tuple([timestampField, idField]);

const cursorField = z.string("must be the nextCursor of the page before").transform((text, context) => {
	const parsed = cursorSchema.safeParse(decodeCursor(text));
	if (!parsed.success) {
		context.addIssue("is not a cursor: use the nextCursor of the page before as it is");
		return z.NEVER;
	}
	return parsed.data;
});

function decodeCursor(text: string): unknown {
	try {
		return JSON.parse(Buffer.from(text, "base64url").toString());
	} catch {
		return undefined;
	}
}

function encodeCursor(result: CountingResult): string {
	return Buffer.from(JSON.stringify([result.createdAt, result.id])).toString("base64url");
}

const orderedRange = {
	error: "is not after from: the range is from (included) to to (not included)",
	path: ["to"],
};

const resultsQuery = z
	.strictObject({
		cameraId: idText,
		from: timestampField.optional(),
		to: timestampField.optional(),
		countType: textField(50).optional(),
		limit: limitText(100, 1000),
		cursor: cursorField.optional(),
	})
	.refine(
		({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to),
		orderedRange,
	);

const hourlyQuery = z
	.strictObject({ cameraId: idText, from: timestampField, to: timestampField })
	.refine(({ from, to }) => Date.parse(from) < Date.parse(to), { ...orderedRange, abort: true })
	.refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= MAX_HOURS * HOUR_MS, {
		error: `is more than ${MAX_HOURS} hours after from: ask for shorter ranges`,
		path: ["to"],
	});

interface CountingResult {
	id: number;
	cameraId: number;
	countType: string;
	countValue: number;
	confidenceScore: number | null;
	createdAt: string;
}

const SELECT_RESULTS = `
	SELECT id, camera_id AS "cameraId", count_type AS "countType", count_value AS "countValue",
		confidence_score::FLOAT8 AS "confidenceScore", created_at AS "createdAt"
	FROM counting_results
	WHERE camera_id = $1
		AND created_at >= COALESCE($2::TIMESTAMPTZ, '-infinity')
		AND created_at < COALESCE($3::TIMESTAMPTZ, 'infinity')
		AND ($4::TEXT IS NULL OR count_type = $4)
		AND ($5::TIMESTAMPTZ IS NULL OR (created_at, id) < ($5, $6::INTEGER))
	ORDER BY created_at DESC, id DESC
	LIMIT $7`;

const SELECT_HOURS = `
	SELECT date_trunc('hour', created_at, 'UTC') AS hour, count_type AS "countType",
		SUM(count_value)::FLOAT8 AS total, COUNT(*)::INTEGER AS results
	FROM counting_results
	WHERE camera_id = $1 AND created_at >= $2::TIMESTAMPTZ AND created_at < $3::TIMESTAMPTZ
	GROUP BY 1, 2
	ORDER BY 1, 2`;

/** GET /counting-results and /counting-results/hourly. */
export function queryRoutes(app: FastifyInstance, { config, database, watch }: ServiceContext): void {
	const pool = database.requests;
	const cache = new HourlyCache(config.cache, watch);

	app.get("/counting-results", async (request) => {
		const query = parseRequest("query", resultsQuery, request.query);
		const [before, beforeId] = query.cursor ?? [null, null];
		const { rows } = await pool.query<CountingResult>(SELECT_RESULTS, [
			query.cameraId,
			query.from ?? null,
			query.to ?? null,
			query.countType ?? null,
			before,
			beforeId,
			query.limit + 1,
		]);
		const results = rows.slice(0, query.limit);
		const last = results.at(-1);
		return { results, nextCursor: rows.length > query.limit && last ? encodeCursor(last) : null };
	});

	app.get("/counting-results/hourly", async (request, reply) => {
		const query = parseRequest("query", hourlyQuery, request.query);
		const { cameraId, from, to } = query;
		const { totals, outcome } = await cache.read(query, async () => {
			const { rows } = await pool.query<HourlyTotal>(SELECT_HOURS, [cameraId, from, to]);
			return rows;
		});
		return reply.header("x-cache", outcome).send({ cameraId, hours: totals });
	});
}
