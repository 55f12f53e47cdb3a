import type { FastifyInstance, FastifyReply } from "fastify";
import { parseRequest } from "../problem";
import type { ServiceContext } from "../server";
import { handIn, respondsAsync } from "./hand-in";
import {
	camerasOf,
	type NewResult,
	newResult,
	newResults,
	RESULT_COLUMNS,
	RESULT_ROWS,
	RESULT_VALUES,
	resultArrays,
} from "./new-result";
import { explainRefusal, type FieldName } from "./unknown-camera";

const INSERT = `
	INSERT INTO counting_results (${RESULT_COLUMNS})
	SELECT ${RESULT_VALUES} FROM ${RESULT_ROWS} ORDER BY position
	RETURNING id`;

/** POST /counting-results and /counting-results/batch. */
export function ingestRoutes(app: FastifyInstance, { database, watch, queue }: ServiceContext): void {
	const pool = database.requests;

	app.post("/counting-results", async (request, reply) => {
		const result = parseRequest("body", newResult, request.body);
		const [id] = await store([result], (_, field) => field);
		return reply.code(201).send({ id });
	});

	app.post("/counting-results/batch", async (request, reply): Promise<FastifyReply> => {
		const results = parseRequest("body", newResults, request.body);
		// A release without a queue does not honour that preference, which is every server's right.
		if (queue !== undefined && respondsAsync(request.headers.prefer)) {
			return handIn(queue, results, reply);
		}
		const ids = await store(results, (index, field) => `[${index}].${field}`);
		return reply.code(201).send({ inserted: ids.length, ids });
	});

	/** Inserts all of `results` or none, in one statement; the ids come back in their order. */
	async function store(results: readonly NewResult[], fieldName: FieldName): Promise<number[]> {
		try {
			const { rows } = await pool.query<{ id: number }>(INSERT, resultArrays(results));
			return rows.map((row) => row.id);
		} catch (error) {
			throw await explainRefusal(pool, results, fieldName, error);
		} finally {
			// Also after a failure: a connection that was lost may have been lost after the commit.
			watch.announce(camerasOf(results));
		}
	}
}
