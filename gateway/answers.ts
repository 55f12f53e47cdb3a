import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { hasBody } from "./headers";
import type { ErrorBody } from "./protocol";
import type { Target } from "./target";

const RETRY_AFTER_SECONDS = 1;
const CONTENT_TYPE = "application/json; charset=utf-8";

/** What the gateway itself says to a client. */
export interface GatewayError {
	status: 501 | 502 | 503 | 504;
	error: string;
	message: string;
}

export const QUEUE_FULL: GatewayError = {
	status: 503,
	error: "held_queue_full",
	message: "requests are held for a moment and too many are waiting already: try again shortly",
};

export const NO_TARGET: GatewayError = {
	status: 503,
	error: "no_active_target",
	message: "no service is behind this address at the moment: try again shortly",
};

export const NOT_A_WEBSOCKET: GatewayError = {
	status: 501,
	error: "upgrade_not_supported",
	message: "only websockets can be upgraded to: send the request without Upgrade",
};

/** The answer while the active target fails its checks. */
export function targetUnhealthy(target: Target): GatewayError {
	return {
		status: 503,
		error: "target_unhealthy",
		message: `the service ${target.name} is not healthy at the moment: try again shortly`,
	};
}

/** The answer to a request that a target did not answer. */
export function upstreamFailed(target: Target, error: NodeJS.ErrnoException): GatewayError {
	return error.code === UPSTREAM_TIMEOUT
		? { status: 504, error: "upstream_timeout", message: `the service ${target.name} did not answer in time` }
		: {
				status: 502,
				error: "upstream_failed",
				message: `the service ${target.name} failed to answer (${error.code ?? error.message})`,
			};
}

export const UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT";

/** Sends an error to a client; a body that has not come in whole would block the connection, so it is closed. */
export function sendError(response: ServerResponse, problem: GatewayError): void {
	const { req: request } = response;
	const body = serialize(problem);
	response.statusCode = problem.status;
	response.setHeader("content-type", CONTENT_TYPE);
	response.setHeader("content-length", Buffer.byteLength(body));
	if (problem.status === 503) {
		response.setHeader("retry-after", RETRY_AFTER_SECONDS);
	}
	if (hasBody(request) && !request.complete) {
		response.setHeader("connection", "close");
	}
	request.unpipe();
	request.resume();
	response.end(body);
}

/** The same, to a client that asked for an upgrade. */
export function sendErrorToSocket(socket: Duplex, problem: GatewayError): void {
	const body = serialize(problem);
	socket.end(
		[
			`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
			`content-type: ${CONTENT_TYPE}`,
			`content-length: ${Buffer.byteLength(body)}`,
			`retry-after: ${RETRY_AFTER_SECONDS}`,
			"connection: close",
			"",
			body,
		].join("\r\n"),
	);
}

function serialize({ error, message }: GatewayError): string {
	return JSON.stringify({ error, message, details: [] } satisfies ErrorBody);
}
