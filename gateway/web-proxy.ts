import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import type { Logger } from "pino";
import {
	NO_TARGET,
	QUEUE_FULL,
	sendError,
	targetUnhealthy,
	UPSTREAM_TIMEOUT,
	upstreamFailed,
} from "./answers";
import { forwardedResponseHeaders, forwardRequestHeaders, isRepeatable } from "./headers";
import type { HttpProxy } from "./http-proxy";
import type { Router } from "./router";
import type { Target } from "./target";

/** Failures before any byte of an answer that another connection may not have. */
const CONNECTION_FAILURES = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** Passes requests to the router's active target and the answers back. */
export class WebProxy {
	/** Answers that the target broke off. */
	private readonly broken = new WeakSet<ServerResponse>();

	constructor(
		private readonly proxy: HttpProxy,
		private readonly router: Router,
		private readonly log: Logger,
		upstreamTimeoutMs: number,
		isClosing: () => boolean,
	) {
		proxy.on("proxyReq", (upstream) => {
			upstream.setTimeout(upstreamTimeoutMs, () =>
				upstream.destroy(
					Object.assign(new Error(`silent for ${upstreamTimeoutMs} ms`), { code: UPSTREAM_TIMEOUT }),
				),
			);
		});
		proxy.on("proxyRes", (answer, _, response) => {
			const headers = forwardedResponseHeaders(answer.rawHeaders, answer.headers.connection);
			if (isClosing()) {
				headers.push("connection", "close");
			}
			response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
			answer.once("error", () => {
				if (!response.destroyed) {
					this.broken.add(response);
				}
			});
			answer.pipe(response);
		});
	}

	/** Serves one request, now or when the hold ends. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		const giveUp = this.router.admission.admit(
			() => this.start(request, response),
			() => sendError(response, QUEUE_FULL),
		);
		response.once("close", giveUp);
	}

	private start(request: IncomingMessage, response: ServerResponse): void {
		const target = this.router.active;
		if (target === undefined) {
			sendError(response, NO_TARGET);
			return;
		}
		if (target.isUnhealthy) {
			sendError(response, targetUnhealthy(target));
			return;
		}
		const leaveTarget = target.flights.enter();
		const leaveRouter = this.router.flights.enter();
		const started = performance.now();
		response.once("close", () => {
			const failed = this.broken.has(response) || response.statusCode >= 500;
			const outcome = failed ? "failed" : response.writableFinished ? "answered" : "aborted";
			target.record(outcome, performance.now() - started);
			leaveTarget();
			leaveRouter();
		});
		forwardRequestHeaders(request, "http");
		void this.forward(target, request, response);
	}

	private async forward(target: Target, request: IncomingMessage, response: ServerResponse): Promise<void> {
		try {
			await this.attempt(target, request, response, target.agent);
		} catch (error) {
			await this.recover(target, request, response, error as NodeJS.ErrnoException);
		}
	}

	private attempt(
		target: Target,
		request: IncomingMessage,
		response: ServerResponse,
		agent: Target["agent"] | false,
	): Promise<void> {
		return this.proxy.web(request, response, { target: target.url, agent, selfHandleResponse: true });
	}

	/** Tries once more, on a new connection, where that can do no harm: a kept one may have been closed meanwhile. */
	private async recover(
		target: Target,
		request: IncomingMessage,
		response: ServerResponse,
		error: NodeJS.ErrnoException,
	): Promise<void> {
		if (error.code === "ECONNREFUSED") {
			target.markRefused(`${target.url}: ${error.message}`);
		}
		const untouched = !response.headersSent && !response.destroyed;
		if (untouched && isRepeatable(request) && CONNECTION_FAILURES.has(error.code ?? "")) {
			if (error.code !== "ECONNREFUSED" || (await target.check()) === "healthy") {
				try {
					return await this.attempt(target, request, response, false);
				} catch (again) {
					return this.fail(target, request, response, again as NodeJS.ErrnoException);
				}
			}
		}
		this.fail(target, request, response, error);
	}

	private fail(
		target: Target,
		request: IncomingMessage,
		response: ServerResponse,
		error: NodeJS.ErrnoException,
	): void {
		const path = request.url?.split("?", 1)[0];
		this.log.warn(
			{ target: target.name, method: request.method, path, reason: error.message },
			"request failed",
		);
		if (response.headersSent) {
			this.broken.add(response);
			response.destroy();
		} else if (!response.destroyed) {
			sendError(response, upstreamFailed(target, error));
		}
	}
}
