/** The exit codes of the Pulumi CLI. */
export const EXIT = {
	success: 0,
	error: 1,
	configuration: 2,
	authentication: 3,
	stackNotFound: 6,
	changesFound: 7,
	cancelled: 8,
} as const;

/** An error that the operator can act on: shown as it is, without a stack. */
export class EngineError extends Error {
	override readonly name = "EngineError";

	constructor(
		message: string,
		readonly exitCode: number = EXIT.error,
	) {
		super(message);
	}
}

/** Ends an operation whose reason has been shown already. */
export class Bail extends Error {
	override readonly name = "Bail";

	constructor(readonly exitCode: number = EXIT.error) {
		super("the operation failed; the reason was shown above");
	}
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The errno name of a file system error, e.g. `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
	return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
