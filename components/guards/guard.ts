import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { sourceOf } from "../pipeline/source";
import { type Guarded, guardFaults } from "./faults";

/**
 * Refuses an update, before any resource is declared, that the environment should not get. All reasons are told at once.
 * What only an update must not do is a warning in a preview.
 *
 * @throws RunError with every reason
 */
export async function guard(guarded: Guarded): Promise<void> {
	const { faults, workTree, exceptions } = await guardFaults(guarded, {
		workTree: () => sourceOf(process.env, process.cwd()),
		completedBy,
	});
	for (const exception of exceptions) {
		void pulumi.log.warn(exception);
	}
	if (workTree !== undefined && pulumi.runtime.isDryRun()) {
		void pulumi.log.warn(`an update would be refused: ${workTree}`);
	} else if (workTree !== undefined) {
		faults.push(workTree);
	}
	if (faults.length > 0) {
		throw new pulumi.RunError(
			`the update is refused, nothing was changed:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
		);
	}
}

/** What another stack of this project has completed, as of its last finished update. */
async function completedBy(stack: string): Promise<string[] | undefined> {
	const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
	const other = new pulumi.StackReference("promoted-from", { name });
	const { value } = await other.getOutputDetails("completed");
	return value === undefined ? undefined : z.array(z.string()).parse(value);
}
