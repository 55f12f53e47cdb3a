import fastify, {
	type FastifyBaseLogger,
	type FastifyInstance,
	type FastifyReply,
	type FastifyRequest,
	LogController,
} from "fastify";
import { cameraRoutes } from "./cameras";
import type { ColorWatch } from "./color-watch";
import type { ServiceConfig } from "./config";
import { countingResultRoutes } from "./counting-results/routes";
import type { Database } from "./database";
import { healthRoutes } from "./health";
import { type Problem, sqlState, toProblem } from "./problem";
import type { IngestQueue } from "./queue/ingest-queue";
import type { IngestWorker } from "./queue/ingest-worker";
import { jobRoutes } from "./queue/routes";
import { type Features, releaseFeatures } from "./schema-version";
import { isWarmUp } from "./warm-up";

const BODY_LIMIT_BYTES = 2 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than any router in front keeps an idle connection, so that it is never this side which closes first. */
const KEEP_ALIVE_MS = 75_000;
const RETRY_AFTER_SECONDS = 1;
const POLLED = new Set(["/healthz", "/readyz"]);

export interface ServiceContext {
	config: ServiceConfig;
	database: Database;
	features: Features;
	watch: ColorWatch;
	/** Only of a release that has a queue. */
	queue?: IngestQueue;
	worker?: IngestWorker;
}

/** The counting API over a database, not yet listening. */
export function createServer(
	parts: Omit<ServiceContext, "features">,
	log: FastifyBaseLogger,
): FastifyInstance {
	const { config } = parts;
	const app = fastify({
		loggerInstance: log,
		logController: new LogController({ disableRequestLogging: true }),
		bodyLimit: BODY_LIMIT_BYTES,
		requestTimeout: REQUEST_TIMEOUT_MS,
		keepAliveTimeout: KEEP_ALIVE_MS,
		// A request that came in on an open connection is still served; the answer closes the connection.
		return503OnClosing: false,
	});
	const context = { ...parts, features: releaseFeatures(config) };

	let closing = false;
	app.addHook("preClose", async () => {
		closing = true;
	});
	app.addHook("onSend", async (_, reply) => {
		if (closing) {
			reply.header("connection", "close");
		}
	});
	if (config.debugMode) {
		app.addHook("preHandler", async ({ log, params, query, body }) =>
			log.debug({ params, query, body }, "parameters"),
		);
	}
	app.addHook("onResponse", async (request, reply) => logRequest(request, reply));

	app.setErrorHandler((error, request, reply) => {
		const problem = toProblem(error);
		if (problem.status >= 500 && problem.status !== 501 && !isWarmUp(request)) {
			request.log.error({ err: problem.cause ?? problem }, problem.message);
		}
		return sendProblem(reply, problem, config.debugMode);
	});
	app.setNotFoundHandler((request, reply) =>
		reply.code(404).send({
			error: "no_such_endpoint",
			message: `there is no ${request.method} ${request.url.split("?", 1)[0]}`,
			details: [],
		}),
	);

	healthRoutes(app, context);
	cameraRoutes(app, context);
	countingResultRoutes(app, context);
	jobRoutes(app, context);
	return app;
}

function sendProblem(reply: FastifyReply, problem: Problem, debugMode: boolean): FastifyReply {
	if (problem.status === 503 || problem.status === 429) {
		reply.header("retry-after", RETRY_AFTER_SECONDS);
	}
	const { status, error, message, details } = problem;
	const state = debugMode ? sqlState(problem) : undefined;
	return reply
		.code(status)
		.send({ error, message, details, ...(state !== undefined && { sqlState: state }) });
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
	const path = request.url.split("?", 1)[0] ?? "";
	const line = { method: request.method, path, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
	if (POLLED.has(path) || isWarmUp(request)) {
		request.log.debug(line, "request");
	} else {
		request.log.info(line, "request");
	}
}
