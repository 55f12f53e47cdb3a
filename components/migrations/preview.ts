import * as pulumi from "@pulumi/pulumi";
import type { DeploymentContext } from "../pipeline/context";
import { describePlan } from "./describe";
import { DatabaseUnavailableError } from "./error";
import type { Migration } from "./migration";
import type { MigrationSet } from "./migration-set";
import type { MigrationStatus } from "./options";
import { status } from "./status";

export interface AnnouncedPlan {
	/** The migrations that shall be applied, no more and no fewer. */
	migrations: readonly Migration[];
	context: pulumi.Output<DeploymentContext>;
	/** Whether nothing was deployed yet, so that there is no database to ask. */
	first: boolean;
}

/**
 * Shows in a preview what an update would apply or undo, as SQL and with its hazards. Nothing when there is nothing to
 * do, or when the database cannot be asked because its server is down: then the update itself begins with the server.
 */
export function announcePlan(set: MigrationSet, { migrations, context, first }: AnnouncedPlan): void {
	if (!pulumi.runtime.isDryRun()) {
		return;
	}
	const wanted = [...migrations];
	if (first) {
		const plan = { apply: wanted, undo: [], problems: [] };
		pulumi.output(true).apply(() => show(set, { applied: [], plan, stored: new Map() }));
		return;
	}
	context.apply(async (known) => {
		const found = await statusOf(known, wanted);
		return found === undefined ? undefined : show(set, found);
	});
}

async function show(set: MigrationSet, found: MigrationStatus): Promise<void> {
	const text = await describePlan(found);
	if (found.plan.problems.length > 0) {
		throw new pulumi.RunError(text);
	}
	if (text !== "") {
		await pulumi.log.info(text, set);
	}
}

async function statusOf(
	context: DeploymentContext,
	wanted: Migration[],
): Promise<MigrationStatus | undefined> {
	try {
		const { target, migrations } = context;
		return await status({ target, wanted, allowOutOfOrder: migrations.allowOutOfOrder });
	} catch (error) {
		if (error instanceof DatabaseUnavailableError) {
			return undefined;
		}
		throw error;
	}
}
