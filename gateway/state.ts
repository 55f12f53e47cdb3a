import { readFileSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomically } from "../components/local/files";
import { targetNameSchema, targetSchema } from "./protocol";

const portSchema = z.int().min(0).max(65535);

/** What the gateway needs to come back as it was; written by the platform first, then by the gateway alone. */
export const gatewayStateSchema = z
	.strictObject({
		/** The address that the public port listens on. */
		host: z.string().min(1),
		/** 0 lets the system choose once; the choice is written back. */
		port: portSchema,
		adminPort: portSchema,
		/** Bearer token of the admin endpoint. */
		token: z.string().min(16, "must have at least 16 characters"),
		/** Told by /healthz, so that whoever started the process can tell it from another one on the same port. */
		instance: z.string().min(1),
		targets: z.record(targetNameSchema, targetSchema).default({}),
		active: targetNameSchema.nullable().default(null),
		healthCheck: z
			.strictObject({
				intervalMs: z.int().min(10).default(1000),
				timeoutMs: z.int().min(10).default(2000),
				/** Failed checks in a row that make a target unhealthy; a refused connection does so at once. */
				failures: z.int().min(1).default(2),
				/**
				 * The same for the active target: it is in doubt for longer, since to refuse all requests because a busy machine
				 * answers late is worse than to let them try.
				 */
				activeFailures: z.int().min(1).default(5),
			})
			.prefault({}),
		/** Requests that may wait during a hold. */
		maxQueued: z.int().min(0).default(1000),
		/** Milliseconds without a byte from a target until its request is given up. */
		upstreamTimeoutMs: z.int().min(1).default(60_000),
	})
	.refine(({ active, targets }) => active === null || Object.hasOwn(targets, active), {
		error: "must be one of the targets, or null",
		path: ["active"],
	});

export type GatewayState = z.infer<typeof gatewayStateSchema>;

/**
 * Reads the state file.
 *
 * @throws Error naming the file and everything in it that is wrong.
 */
export function loadState(path: string): GatewayState {
	const parsed = gatewayStateSchema.safeParse(readJson(path));
	if (!parsed.success) {
		throw new Error(`${path} is not a valid gateway state:\n${z.prettifyError(parsed.error)}`);
	}
	return parsed.data;
}

function readJson(path: string): unknown {
	try {
		return JSON.parse(readFileSync(path, "utf8"));
	} catch (cause) {
		// The parser's message may quote the text, and with it the token.
		const reason = cause instanceof SyntaxError ? "it is not JSON" : String(cause);
		throw new Error(`cannot read the gateway's state file ${path}: ${reason}`, { cause });
	}
}

/** Writes the state file in one step, readable by its owner only. */
export function saveState(path: string, state: GatewayState): void {
	writeFileAtomically(path, `${JSON.stringify(state, null, "\t")}\n`, 0o600);
}
