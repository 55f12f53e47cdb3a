import { type StackAccess, stackAccess } from "../components/release/stack-access";
import { runPulumi } from "./engine";

/**
 * Reads how to reach a deployed stack from its decrypted outputs, which stay in memory. Works with either engine, and
 * while an update of the stack runs.
 *
 * @throws Error when there is no such stack, or it has not been deployed to its end yet
 */
export async function openStack(stack: string): Promise<StackAccess> {
	let text = "";
	const code = await runPulumi(["stack", "output", "--json", "--show-secrets", "-s", stack], {
		capture: (piece) => {
			text += piece;
		},
	});
	if (code !== 0) {
		throw new Error(`the outputs of stack ${stack} cannot be read: see above`);
	}
	return stackAccess(stack, JSON.parse(text));
}
