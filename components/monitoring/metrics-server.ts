import fastify, { type FastifyInstance } from "fastify";
import { metricsOf } from "./metrics";
import type { Observation } from "./observe";

/**
 * Serves a stack's figures at `/metrics`, not yet listening. Each scrape looks anew; scrapes that come meanwhile share
 * that look, so that however many there are, one is asked of the databases at a time.
 */
export function createMetricsServer(observe: () => Promise<Observation>): FastifyInstance {
	const app = fastify({ logger: false, requestTimeout: 10_000, bodyLimit: 1024 });
	let looking: Promise<Observation> | undefined;
	app.get("/metrics", async (_request, reply) => {
		looking ??= observe().finally(() => {
			looking = undefined;
		});
		const registry = metricsOf(await looking);
		return reply.type(registry.contentType).send(await registry.metrics());
	});
	app.get("/healthz", async () => ({ status: "ok" }));
	return app;
}
