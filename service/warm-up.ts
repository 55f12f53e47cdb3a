import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyRequest, InjectOptions } from "fastify";
import type { Features } from "./schema-version";

const ROUNDS = 3;
const HEADER = "x-warm-up";
/** Known to this process alone, so that nobody else's requests can stay out of the log. */
const token = randomUUID();

/** Whether it is one of {@link warmUp}. */
export function isWarmUp({ headers }: FastifyRequest): boolean {
	return headers[HEADER] === token;
}

/**
 * Sends requests that change nothing, which connects the pool and has each session read the catalog and Node compile
 * what serves them: the first real ones come all at once, when the traffic moves here. Whether the database can be used
 * is for /readyz: where it cannot be, nothing is warmed up.
 */
export async function warmUp(app: FastifyInstance, connections: number, features: Features): Promise<void> {
	const headers = { [HEADER]: token };
	const requests: InjectOptions[] = [{ method: "GET", url: "/cameras?limit=1", headers }];
	if (features.countingResults) {
		requests.push(
			{ method: "GET", url: "/counting-results?cameraId=1&limit=1", headers },
			{ method: "POST", url: "/counting-results", payload: {}, headers },
		);
	}
	for (let round = 0; round < ROUNDS; round++) {
		const answers = await Promise.all(
			requests.flatMap((request) => Array.from({ length: connections }, () => app.inject(request))),
		);
		const failed = answers.find(({ statusCode }) => statusCode >= 500);
		if (failed !== undefined) {
			app.log.warn(
				{ status: failed.statusCode, answer: failed.body },
				"not warmed up: the first requests will wait",
			);
			return;
		}
	}
}
