import { request } from "node:http";
import { z } from "zod";
import {
	type ErrorBody,
	errorSchema,
	type GatewayStatus,
	type HoldAnswer,
	healthzSchema,
	holdAnswerSchema,
	type holdRequestSchema,
	type ReleaseAnswer,
	type RouteAnswer,
	releaseAnswerSchema,
	routeAnswerSchema,
	type routeRequestSchema,
	statusSchema,
	type TargetStatus,
	type targetSchema,
	targetStatusSchema,
} from "./protocol";

const CALL_TIMEOUT_MS = 5000;
const HOST = "127.0.0.1";

/** The gateway refused, failed or could not be asked. */
export class GatewayError extends Error {
	override name = "GatewayError";

	constructor(
		message: string,
		/** The HTTP status of the answer; undefined when there was none. */
		readonly status?: number,
		/** The gateway's word for the reason, as in `target_unhealthy`. */
		readonly error?: string,
		options?: ErrorOptions,
	) {
		super(message, options);
	}
}

interface Call<T> {
	method: "GET" | "PUT" | "POST" | "DELETE";
	path: string;
	body?: unknown;
	/** Milliseconds that the gateway itself was asked to wait. */
	waitMs?: number;
	answer: z.ZodType<T>;
}

/**
 * The admin endpoint of a gateway on this machine.
 * Every call has a deadline and throws a {@link GatewayError} that names what was asked.
 */
export class GatewayClient {
	constructor(private readonly gateway: { adminPort: number; token: string }) {}

	/** The instance token of the gateway that answers on the port; sends no secret. */
	async instance(): Promise<string> {
		return (await this.call({ method: "GET", path: "/healthz", answer: healthzSchema })).instance;
	}

	status(): Promise<GatewayStatus> {
		return this.call({ method: "GET", path: "/status", answer: statusSchema });
	}

	/** Adds or changes a target; the answer comes after its first health check. */
	putTarget(name: string, target: z.input<typeof targetSchema>): Promise<TargetStatus> {
		return this.call({
			method: "PUT",
			path: `/targets/${encodeURIComponent(name)}`,
			body: target,
			answer: targetStatusSchema,
		});
	}

	/** Removes a target that is not active. */
	async deleteTarget(name: string): Promise<void> {
		await this.call({
			method: "DELETE",
			path: `/targets/${encodeURIComponent(name)}`,
			answer: z.undefined(),
		});
	}

	/** Switches new requests to another target; tells how many are still in flight on the one before. */
	route(body: z.input<typeof routeRequestSchema>): Promise<RouteAnswer> {
		return this.call({
			method: "PUT",
			path: "/route",
			body,
			waitMs: body.drainTimeoutMs,
			answer: routeAnswerSchema,
		});
	}

	/** Makes new requests wait; tells how many are still in flight. */
	hold(body: z.input<typeof holdRequestSchema>): Promise<HoldAnswer> {
		return this.call({
			method: "POST",
			path: "/hold",
			body,
			waitMs: body.waitForIdleMs,
			answer: holdAnswerSchema,
		});
	}

	/** Lets the held requests go, in order. Refused (409) when the hold has ended by itself. */
	release(holdId: string): Promise<ReleaseAnswer> {
		return this.call({ method: "POST", path: "/release", body: { holdId }, answer: releaseAnswerSchema });
	}

	private async call<T>({ method, path, body, waitMs = 0, answer }: Call<T>): Promise<T> {
		const asked = `gateway ${HOST}:${this.gateway.adminPort}: ${method} ${path}`;
		const { status, text } = await this.send(method, path, body, CALL_TIMEOUT_MS + waitMs, asked);
		const content = parseJson(text, asked);
		if (status >= 400) {
			const refusal = errorSchema.safeParse(content);
			throw refusal.success
				? new GatewayError(`${asked}: ${describe(refusal.data)}`, status, refusal.data.error)
				: new GatewayError(`${asked} was answered ${status}`, status);
		}
		const parsed = answer.safeParse(content);
		if (!parsed.success) {
			throw new GatewayError(`${asked}: not a gateway's answer: ${z.prettifyError(parsed.error)}`, status);
		}
		return parsed.data;
	}

	private send(
		method: string,
		path: string,
		body: unknown,
		timeoutMs: number,
		asked: string,
	): Promise<{ status: number; text: string }> {
		const payload = body === undefined ? undefined : JSON.stringify(body);
		return new Promise((resolve, reject) => {
			const fail = (cause: NodeJS.ErrnoException) => {
				const reason = cause.name === "AbortError" ? `no answer within ${timeoutMs} ms` : cause.message;
				reject(new GatewayError(`${asked}: ${reason}`, undefined, undefined, { cause }));
			};
			const outgoing = request(
				{
					host: HOST,
					port: this.gateway.adminPort,
					method,
					path,
					// No kept connection: one from before a restart would fail the call.
					agent: false,
					signal: AbortSignal.timeout(timeoutMs),
					headers: {
						...(path !== "/healthz" && { authorization: `Bearer ${this.gateway.token}` }),
						...(payload !== undefined && { "content-type": "application/json" }),
					},
				},
				(incoming) => {
					const chunks: Buffer[] = [];
					incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
					incoming.on("error", fail);
					incoming.on("end", () =>
						resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
					);
				},
			);
			outgoing.on("error", fail);
			outgoing.end(payload);
		});
	}
}

function parseJson(text: string, asked: string): unknown {
	if (text === "") {
		return undefined;
	}
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new GatewayError(`${asked}: the answer is not JSON`, undefined, undefined, { cause });
	}
}

function describe({ message, details }: ErrorBody): string {
	return [message, ...details.map((detail) => `${detail.field} ${detail.message}`)].join("; ");
}
