import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { Migration } from "../migrations/migration";
import { sourceOf } from "../pipeline/source";
import type { Settings } from "../settings/settings";
import { approvalFault } from "./approved-migrations";
import { programVersion, programVersionFault } from "./program-version";
import { isKnownHere, promotionFault } from "./promotion";
import { workTreeFault } from "./work-tree";

/** What the guards know of a stack from its last finished update. */
export interface Guarded {
	settings: Settings;
	migrations: readonly Migration[];
	/** Undefined before the first update. */
	last?: {
		release: string;
		/** Releases that the stack has completed. */
		completed: readonly string[];
		/** Of the program that deployed it. */
		programVersion?: string;
		/** Versions of the migrations that are applied to what is live. */
		migrations: readonly string[];
	};
}

/**
 * Refuses an update, before any resource is declared, that the environment should not get. All reasons are told at once.
 * What only an update must not do is a warning in a preview.
 *
 * @throws RunError with every reason
 */
export async function guard(guarded: Guarded): Promise<void> {
	const { settings, migrations, last } = guarded;
	const faults = [programVersionFault(programVersion(), last?.programVersion)];
	if (settings.environment === "production") {
		const tree = workTreeFault(await sourceOf(process.env, process.cwd()));
		if (tree !== undefined && pulumi.runtime.isDryRun()) {
			void pulumi.log.warn(`an update would be refused: ${tree}`);
		} else {
			faults.push(tree);
		}
		faults.push(approvalFault(migrations, last?.migrations ?? [], settings.approvedMigrations));
	}
	faults.push(await promotionFaultOf(guarded));
	const found = faults.filter((fault) => fault !== undefined);
	if (found.length > 0) {
		throw new pulumi.RunError(
			`the update is refused, nothing was changed:\n${found.map((fault) => `  - ${fault}`).join("\n")}`,
		);
	}
}

async function promotionFaultOf({ settings, last }: Guarded): Promise<string | undefined> {
	const { release, promoteFrom: stack, releaseWithoutStaging } = settings;
	if (stack === "none") {
		return undefined;
	}
	const promotion = {
		release,
		...(last && { present: last.release }),
		own: last?.completed ?? [],
		...(releaseWithoutStaging !== undefined && { releaseWithoutStaging }),
	};
	// The other stack is asked only when something depends on its answer: it may be out of reach.
	if (isKnownHere(promotion)) {
		return undefined;
	}
	if (releaseWithoutStaging === release) {
		void pulumi.log.warn(`release ${release} goes without stack ${stack}: releaseWithoutStaging says so`);
		return undefined;
	}
	return promotionFault({ ...promotion, from: { stack, completed: await completedBy(stack) } });
}

/** What another stack of this project has completed, as of its last finished update. */
async function completedBy(stack: string): Promise<string[] | undefined> {
	const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
	const other = new pulumi.StackReference("promoted-from", { name });
	const { value } = await other.getOutputDetails("completed");
	return value === undefined ? undefined : z.array(z.string()).parse(value);
}
