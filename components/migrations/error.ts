import { DatabaseError } from "pg";
import type { Section } from "./migration";
import { titleOf } from "./plan";
import { excerptAt } from "./problems";
import { indexOfCharacter, lineOf, type Statement } from "./statements";

/** The wanted set of migrations must not be applied. Nothing was run. */
export class MigrationPlanError extends Error {
	constructor(readonly problems: string[]) {
		super(`the migrations cannot be applied, nothing was run:\n${problems.join("\n")}`);
		this.name = "MigrationPlanError";
	}
}

/** The database cannot be read: it does not exist (yet), or its server does not answer. */
export class DatabaseUnavailableError extends Error {
	constructor(
		readonly reason: "absent" | "unreachable",
		message: string,
		options: ErrorOptions,
	) {
		super(message, options);
		this.name = "DatabaseUnavailableError";
	}
}

/** A statement of a section failed. */
export class StatementFailure extends Error {
	constructor(
		readonly statement: Statement,
		/** How many characters were sent before the statement's own. */
		readonly prefixLength: number,
		override readonly cause: unknown,
	) {
		super(cause instanceof Error ? cause.message : String(cause), { cause });
	}
}

/** A migration failed, or the undoing of one. */
export class MigrationError extends Error {
	/** PostgreSQL's error code, when it was PostgreSQL that refused. */
	readonly code?: string;
	readonly detail?: string;
	readonly hint?: string;
	/** Versions that this run had applied and has undone again, in that order. */
	undone: string[] = [];
	/** Versions that this run had applied and that stay applied. */
	left: string[] = [];

	constructor(
		readonly migration: { version: string; name: string },
		readonly direction: "up" | "down",
		section: Section,
		/** The migration's file; undefined when it ran from the stored SQL. */
		path: string | undefined,
		cause: unknown,
	) {
		super(describe(migration, direction, section, path, cause), { cause });
		this.name = "MigrationError";
		const server = serverError(cause);
		this.code = server?.code;
		this.detail = server?.detail;
		this.hint = server?.hint;
	}

	/** Adds what became of the rest of the run. */
	addNote(note: string): void {
		this.message += `\n${note}`;
	}
}

/** PostgreSQL's own error behind an error. */
export function serverError(error: unknown): DatabaseError | undefined {
	if (error instanceof DatabaseError) return error;
	return error instanceof StatementFailure ? serverError(error.cause) : undefined;
}

function describe(
	migration: { version: string; name: string },
	direction: "up" | "down",
	section: Section,
	path: string | undefined,
	cause: unknown,
): string {
	const what = direction === "up" ? "migration" : "undoing migration";
	const failed = `${what} ${titleOf(migration)} failed`;
	const message = cause instanceof Error ? cause.message : String(cause);
	if (!(cause instanceof StatementFailure)) return `${failed}: ${message}`;
	const server = serverError(cause);
	const index = failureIndex(cause, server);
	const line = lineOf(section, index);
	const where = path === undefined ? `line ${line} of its stored ${direction} section` : `${path}:${line}`;
	return [
		`${failed} at ${where}: ${message}${server?.code ? ` (${server.code})` : ""}`,
		excerptAt(section.sql, index),
		...(server?.detail ? [`detail: ${server.detail}`] : []),
		...(server?.hint ? [`hint: ${server.hint}`] : []),
		...(server?.where ? [`context: ${server.where}`] : []),
	].join("\n");
}

function failureIndex(
	{ statement, prefixLength }: StatementFailure,
	server: DatabaseError | undefined,
): number {
	const position = Number(server?.position ?? 0) - 1 - prefixLength;
	if (position < 0 || position >= statement.sql.length) return statement.start;
	return statement.start + indexOfCharacter(statement.sql, position);
}
