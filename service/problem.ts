import { DatabaseError } from "pg";
import { z } from "zod";

export interface FieldProblem {
	/** Path of the field in the request, as in `[3].cameraId`. */
	field: string;
	message: string;
}

/** A request that cannot be served, with what the caller is told. */
export class Problem extends Error {
	override name = "Problem";

	constructor(
		readonly status: number,
		/** A word for programs, as in `camera_not_found`. */
		readonly error: string,
		message: string,
		readonly details: readonly FieldProblem[] = [],
		options?: ErrorOptions,
	) {
		super(message, options);
	}
}

/**
 * Parses a part of a request.
 *
 * @throws Problem 400 that lists every field that is wrong.
 */
export function parseRequest<T extends z.ZodType>(part: string, schema: T, input: unknown): z.infer<T> {
	const parsed = schema.safeParse(input);
	if (parsed.success) {
		return parsed.data;
	}
	const details = parsed.error.issues.flatMap(describeIssue);
	const count = details.length === 1 ? "one field is" : `${details.length} fields are`;
	throw new Problem(400, "invalid_request", `the ${part} is not valid: ${count} wrong`, details);
}

function describeIssue(issue: z.core.$ZodIssue): FieldProblem[] {
	if (issue.code === "unrecognized_keys") {
		return issue.keys.map((key) => ({
			field: fieldName([...issue.path, key]),
			message: "is not a known field: remove it",
		}));
	}
	return [{ field: fieldName(issue.path), message: issue.message }];
}

function fieldName(path: readonly PropertyKey[]): string {
	if (path.length === 0) {
		return "(whole)";
	}
	return path
		.map((part, index) =>
			typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${String(part)}`,
		)
		.join("");
}

const fastifyErrorSchema = z.object({ statusCode: z.number().int().min(400).max(499), code: z.string() });

/** Turns whatever a handler threw into what the caller is told. */
export function toProblem(error: unknown): Problem {
	if (error instanceof Problem) {
		return error;
	}
	if (error instanceof DatabaseError) {
		return databaseProblem(error);
	}
	if (isConnectionLoss(error)) {
		return unavailable("the database cannot be reached", error);
	}
	const refused = fastifyErrorSchema.safeParse(error);
	if (refused.success && error instanceof Error) {
		const { statusCode, code } = refused.data;
		return new Problem(statusCode, REFUSALS[code] ?? "invalid_request", error.message, [], { cause: error });
	}
	return new Problem(500, "internal_error", "the service failed: its log says why", [], { cause: error });
}

const REFUSALS: Record<string, string> = {
	FST_ERR_CTP_INVALID_JSON_BODY: "invalid_json",
	FST_ERR_CTP_EMPTY_JSON_BODY: "invalid_json",
	FST_ERR_CTP_BODY_TOO_LARGE: "body_too_large",
	FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
};

function unavailable(message: string, cause: unknown): Problem {
	return new Problem(503, "database_unavailable", `${message}: try again shortly`, [], { cause });
}

/** Reasons of PostgreSQL to refuse now what it may accept later, by SQLSTATE or its class. */
const TEMPORARY: Record<string, string> = {
	"08": "the connection to the database was lost",
	"25006": "the database does not accept writes at the moment",
	"28": "the database does not accept the service's role",
	"3D": "the database does not exist",
	"40": "another transaction was in the way",
	"53": "the database has no resources left",
	"55": "the database is not in a state to do this",
	"57014": "the statement took longer than its timeout",
	"57": "the database is stopping or starting",
};

function databaseProblem(error: DatabaseError): Problem {
	const state = error.code ?? "";
	const reason = TEMPORARY[state] ?? TEMPORARY[state.slice(0, 2)];
	if (reason !== undefined) {
		return unavailable(reason, error);
	}
	if (state === "42P01" || state === "42703") {
		return new Problem(
			503,
			"schema_incompatible",
			"the database's schema is not the one that this release needs: /readyz names both",
			[],
			{ cause: error },
		);
	}
	if (state.startsWith("22")) {
		return new Problem(400, "invalid_value", `the database refuses a value: ${error.message}`, [], {
			cause: error,
		});
	}
	return new Problem(500, "internal_error", "the database refused the statement: the log says why", [], {
		cause: error,
	});
}

const CONNECTION_CODES = new Set([
	"ECONNREFUSED",
	"ECONNRESET",
	"EPIPE",
	"ETIMEDOUT",
	"EHOSTUNREACH",
	"ENETUNREACH",
	"ENOTFOUND",
	"EAI_AGAIN",
]);

// pg has no codes for what it finds out by itself.
const CONNECTION_MESSAGES =
	/^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

function isConnectionLoss(error: unknown): boolean {
	if (error instanceof AggregateError) {
		return error.errors.every(isConnectionLoss);
	}
	if (!(error instanceof Error)) {
		return false;
	}
	return (
		CONNECTION_CODES.has((error as NodeJS.ErrnoException).code ?? "") ||
		CONNECTION_MESSAGES.test(error.message)
	);
}

/** The SQLSTATE behind a problem, if PostgreSQL reported one. */
export function sqlState(problem: Problem): string | undefined {
	return problem.cause instanceof DatabaseError ? problem.cause.code : undefined;
}
