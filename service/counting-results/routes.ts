import type { FastifyInstance } from "fastify";
import { notInThisRelease } from "../schema-version";
import type { ServiceContext } from "../server";
import { ingestRoutes } from "./ingest";
import { queryRoutes } from "./query";

/** The endpoints under /counting-results, which a release before schema 1.2.0 does not have. */
export function countingResultRoutes(app: FastifyInstance, context: ServiceContext): void {
	const { config, features, database } = context;
	if (features.countingResults) {
		ingestRoutes(app, database.requests);
		queryRoutes(app, database.requests);
		return;
	}
	const refuse = async () => {
		throw notInThisRelease(config, "counting results", "1.2.0");
	};
	app.all("/counting-results", refuse);
	app.all("/counting-results/*", refuse);
}
