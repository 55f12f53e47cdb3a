import { z } from "zod";

const MAX_WAIT_MS = 600_000;
const waitMs = z.int().min(0).max(MAX_WAIT_MS);

/** A target group's name, as in `blue` or `green-7`. */
export const targetNameSchema = z
	.string()
	.regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "must be 1 to 63 letters, digits, -, _ and .");

export const targetSchema = z.strictObject({
	url: z.url({ protocol: /^http$/, error: "must be an http URL, as in http://127.0.0.1:8080" }),
	/** Asked by the health checks; healthy is any 2xx. */
	healthPath: z.string().startsWith("/", "must begin with /").default("/readyz"),
});

export const routeRequestSchema = z.strictObject({
	/** null sends new requests nowhere: they get 503. */
	target: targetNameSchema.nullable(),
	/** Refuse the switch unless the target is healthy now. */
	requireHealthy: z.boolean().default(true),
	/** Milliseconds to wait, after the switch, for the requests on the target before. */
	drainTimeoutMs: waitMs.default(0),
});

export const holdRequestSchema = z
	.strictObject({
		/** Milliseconds after which the hold ends by itself. */
		timeoutMs: z.int().min(1).max(MAX_WAIT_MS),
		/** Milliseconds to wait for the requests in flight before answering. */
		waitForIdleMs: waitMs.default(0),
	})
	.refine(({ timeoutMs, waitForIdleMs }) => waitForIdleMs < timeoutMs, {
		error: "must be less than timeoutMs: the hold would end while waiting",
		path: ["waitForIdleMs"],
	});

export const releaseRequestSchema = z.strictObject({ holdId: z.string().min(1) });

export const routeAnswerSchema = z.object({
	active: targetNameSchema.nullable(),
	previous: targetNameSchema.nullable(),
	/** Requests still in flight on the target before; 0 when it did not change. */
	remaining: z.int(),
});

export const holdAnswerSchema = z.object({
	holdId: z.string(),
	expiresAt: z.iso.datetime(),
	/** Requests in flight when the answer was given, on all targets. */
	inFlight: z.int(),
});

export const releaseAnswerSchema = z.object({
	holdId: z.string(),
	/** Requests that were waiting. */
	released: z.int(),
});

export const healthSchema = z.enum(["healthy", "unhealthy", "unknown"]);

const countersSchema = z.object({
	requests: z.int(),
	/** Answers 5xx and requests that got none. */
	failures: z.int(),
	/** Given up by the client. */
	aborted: z.int(),
	latency: z.object({
		sumMs: z.number(),
		/** Requests that took at most `leMs` milliseconds and more than the bucket before; null has no limit. */
		buckets: z.array(z.object({ leMs: z.number().nullable(), count: z.int() })),
	}),
});

export const targetStatusSchema = targetSchema.extend({
	health: healthSchema,
	/** When `health` last changed. */
	since: z.iso.datetime(),
	lastError: z.string().nullable(),
	inFlight: z.int(),
	webSockets: z.int(),
	counters: countersSchema,
});

export const statusSchema = z.object({
	instance: z.string(),
	active: targetNameSchema.nullable(),
	/** Requests in flight on all targets, removed ones included. */
	inFlight: z.int(),
	hold: z
		.object({ holdId: z.string(), since: z.iso.datetime(), expiresAt: z.iso.datetime(), queued: z.int() })
		.nullable(),
	lastHold: z
		.object({
			holdId: z.string(),
			since: z.iso.datetime(),
			ended: z.iso.datetime(),
			outcome: z.enum(["released", "expired", "stopped"]),
			released: z.int(),
			/** Requests that were sent away because the queue was full. */
			refused: z.int(),
		})
		.nullable(),
	targets: z.record(targetNameSchema, targetStatusSchema),
});

export const healthzSchema = z.object({ status: z.literal("ok"), instance: z.string() });

export const errorSchema = z.object({
	error: z.string(),
	message: z.string(),
	details: z.array(z.object({ field: z.string(), message: z.string() })),
});

export type TargetSettings = z.infer<typeof targetSchema>;
export type RouteRequest = z.infer<typeof routeRequestSchema>;
export type RouteAnswer = z.infer<typeof routeAnswerSchema>;
export type HoldRequest = z.infer<typeof holdRequestSchema>;
export type HoldAnswer = z.infer<typeof holdAnswerSchema>;
export type ReleaseAnswer = z.infer<typeof releaseAnswerSchema>;
export type Health = z.infer<typeof healthSchema>;
export type Counters = z.infer<typeof countersSchema>;
export type TargetStatus = z.infer<typeof targetStatusSchema>;
export type GatewayStatus = z.infer<typeof statusSchema>;
export type ErrorBody = z.infer<typeof errorSchema>;
