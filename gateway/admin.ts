import { createHash, timingSafeEqual } from "node:crypto";
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { z } from "zod";
import {
	type ErrorBody,
	holdRequestSchema,
	releaseRequestSchema,
	routeRequestSchema,
	targetNameSchema,
	targetSchema,
} from "./protocol";
import { Refusal, type Router } from "./router";

const targetPath = z.strictObject({ name: targetNameSchema });

interface AdminOptions {
	token: string;
	instance: string;
	log: FastifyBaseLogger;
}

/** The admin endpoint, not yet listening; everything but /healthz asks for the token. */
export function createAdmin(router: Router, { token, instance, log }: AdminOptions): FastifyInstance {
	const app = fastify({
		loggerInstance: log,
		logController: new LogController({ disableRequestLogging: true }),
		bodyLimit: 64 * 1024,
		requestTimeout: 10_000,
	});
	const expected = digest(`Bearer ${token}`);

	app.addHook("onRequest", async (request, reply) => {
		const presented = digest(request.headers.authorization ?? "");
		if (request.url !== "/healthz" && !timingSafeEqual(presented, expected)) {
			const message =
				"the admin endpoint needs the token of the gateway's state file: Authorization: Bearer <token>";
			return reply.code(401).send({ error: "unauthorized", message, details: [] } satisfies ErrorBody);
		}
	});
	app.setErrorHandler((error, _, reply) => {
		const { status, body } = explain(error);
		if (status === 500) {
			log.error({ err: error }, "an admin request failed");
		}
		return reply.code(status).send(body);
	});
	app.setNotFoundHandler((request, reply) =>
		reply.code(404).send(errorBody("no_such_endpoint", `there is no ${request.method} ${request.url}`)),
	);

	app.get("/healthz", async () => ({ status: "ok", instance }));
	app.get("/status", async () => router.status());
	app.put("/targets/:name", async ({ params, body }) =>
		router.putTarget(targetPath.parse(params).name, targetSchema.parse(body)),
	);
	app.delete("/targets/:name", async ({ params }, reply) => {
		router.deleteTarget(targetPath.parse(params).name);
		return reply.code(204).send();
	});
	app.put("/route", async ({ body }) => router.route(routeRequestSchema.parse(body)));
	app.post("/hold", async ({ body }) => router.hold(holdRequestSchema.parse(body)));
	app.post("/release", async ({ body }) => router.release(releaseRequestSchema.parse(body).holdId));
	return app;
}

// Equal lengths, as the comparison needs, and no hint at the token's own.
function digest(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}

function errorBody(error: string, message: string, details: ErrorBody["details"] = []): ErrorBody {
	return { error, message, details };
}

function explain(error: unknown): { status: number; body: ErrorBody } {
	if (error instanceof Refusal) {
		return { status: error.status, body: errorBody(error.error, error.message) };
	}
	if (error instanceof z.ZodError) {
		const details = error.issues.map(({ path, message }) => ({
			field: path.join(".") || "(whole)",
			message,
		}));
		return { status: 400, body: errorBody("invalid_request", "the request is not valid", details) };
	}
	const { statusCode, message } = error as { statusCode?: number; message?: string };
	if (statusCode !== undefined && statusCode < 500) {
		return { status: statusCode, body: errorBody("invalid_request", message ?? "the request is not valid") };
	}
	return { status: 500, body: errorBody("internal_error", message ?? String(error)) };
}
