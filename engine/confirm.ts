/** Asks the operator before anything is changed. */
import { createInterface } from "node:readline/promises";
import { EngineError, EXIT } from "./errors";
import type { Session } from "./session";

/** @throws EngineError off a terminal, in the CLI's words; and when the answer is no. */
export async function confirm(session: Session, question: string): Promise<void> {
	const lines = createInterface({ input: session.io.stdin, output: session.io.stdout });
	try {
		const answer = (await lines.question(`${question} (yes/no) `)).trim().toLowerCase();
		if (answer !== "yes" && answer !== "y") throw new EngineError("confirmation declined", EXIT.cancelled);
	} finally {
		lines.close();
	}
}

/** Refuses, off a terminal, what would have to be confirmed. */
export function requireConfirmable(session: Session): void {
	if (session.interactive || session.args.switches.has("yes") || session.args.switches.has("skip-preview"))
		return;
	throw new EngineError(
		"--yes or --skip-preview or --preview-only must be passed in to proceed when running in non-interactive mode",
		EXIT.configuration,
	);
}
