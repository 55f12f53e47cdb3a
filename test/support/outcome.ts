import assert from "node:assert/strict";
import type { CommandResult } from "./project";

/** The command failed and told why in words, not in the stack of some function. */
export function assertClearFailure({ code, output }: CommandResult): void {
	assert.notEqual(code, 0, output);
	assert.doesNotMatch(output, /^\s+at .*:\d+:\d+\)?$/m, output);
}
