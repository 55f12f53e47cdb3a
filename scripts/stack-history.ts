import { readHistory, type StackUpdate } from "../components/history/stack-update";
import { chooseEngine, runPulumi } from "./engine";
import { projectName } from "./project";

/** The release in the stack config. */
export const RELEASE_KEY = `${projectName}:release`;
/** The service's image in the stack config. */
export const IMAGE_KEY = `${projectName}:serviceImage`;

/**
 * What the engine has on record of a stack, newest first.
 *
 * @throws Error when it cannot be read
 */
export async function stackHistory(stack: string): Promise<StackUpdate[]> {
	let text = "";
	// The CLI shows ten updates unless it is asked for all; the embedded engine always shows all.
	const all = chooseEngine().kind === "cli" ? ["--page-size", "0"] : [];
	const code = await runPulumi(["stack", "history", "--json", ...all, "-s", stack], {
		capture: (piece) => {
			text += piece;
		},
	});
	if (code !== 0) {
		throw new Error(`the history of ${stack} cannot be read`);
	}
	return readHistory(JSON.parse(text), { release: RELEASE_KEY, image: IMAGE_KEY });
}
