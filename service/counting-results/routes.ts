import type { FastifyInstance } from "fastify";
import { notInThisRelease } from "../schema-version";
import type { ServiceContext } from "../server";
import { ingestRoutes } from "./ingest";
import { queryRoutes } from "./query";

/** The endpoints under /counting-results, which a release before schema 1.2.0 does not have. */
export function countingResultRoutes(app: FastifyInstance, context: ServiceContext): void {
	const { config, features } = context;
	if (features.countingResults) {
		ingestRoutes(app, context);
		queryRoutes(app, context);
		return;
	}
	const refuse = async () => {
		throw notInThisRelease(config, "counting results", "1.2.0");
	};
	app.all("/counting-results", refuse);
	app.all("/counting-results/*", refuse);
}
