import { userInfo } from "node:os";
import { z } from "zod";
import { releaseBefore } from "../catalog/deployments";
import { withClient } from "../database/connection";
import { type DeploymentContext, deploymentContextSchema } from "../pipeline/context";
import { inStage } from "../pipeline/deployment";
import { recordPutBack } from "../pipeline/put-back";
import { defineProvider } from "../provider/define";
import { fenceState } from "../traffic/write-fence";
import { DatabaseUnavailableError } from "./error";
import { loadMigrations } from "./files";
import { highestVersion, type Migration } from "./migration";
import { listEntries, migrationEntriesSchema } from "./migration-entries";
import type { MigrationReport } from "./options";
import { migrate } from "./run";
import { isUpToDate } from "./status";

const inputs = z.object({
	databaseName: z.string(),
	directory: z.string(),
	migrations: migrationEntriesSchema,
	context: deploymentContextSchema,
});
const outputs = inputs.extend({ deploymentId: z.number() });

const SESSION = { applicationName: "deployment-migrations" };

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	replaceOn: ["databaseName"],
	ignore: ["context", "directory"],
	async create(wanted) {
		return { id: wanted.databaseName, outputs: await bringUpToDate(wanted) };
	},
	async update(_id, wanted) {
		return bringUpToDate(wanted);
	},
	/** An update that failed later than here has undone migrations that the state still lists. */
	async isCurrent(_id, { context, migrations }) {
		try {
			return await isUpToDate(context.target, listEntries(migrations));
		} catch (error) {
			// A preview while the server is down: bringing it up is the server's own step, and shown as that.
			if (error instanceof DatabaseUnavailableError) {
				return true;
			}
			throw error;
		}
	},
	/** What is applied goes with its database. */
	async delete() {},
});

async function bringUpToDate(wanted: Inputs): Promise<Outputs> {
	const { context, directory } = wanted;
	return inStage(context, "Build Database Schema", "migrations", async (deploymentId, log) => {
		await refuseLiveColor(wanted);
		const target = await withClient(context.catalog, SESSION, (client) =>
			releaseBefore(client, deploymentId),
		);
		const report = await migrate({
			releases: { previous: context.release, ...(target !== undefined && { target }) },
			target: context.target,
			catalog: context.catalog,
			targetName: context.targetName,
			wanted: selectFiles(directory, wanted.migrations),
			deploymentId,
			appliedBy: userInfo().username,
			settings: context.migrations,
			backupDirectory: context.backupDirectory,
			log,
		});
		await recordUndone(context, deploymentId, report);
		return { ...wanted, deploymentId };
	});
}

/** A colour is migrated before it gets the traffic, never while it has it: clients would be on the schema that changes. */
async function refuseLiveColor({ context, databaseName, migrations }: Inputs): Promise<void> {
	if (context.onFailure !== "keep") {
		return;
	}
	const fence = await withClient(context.target, SESSION, fenceState);
	if (fence?.open && !(await isUpToDate(context.target, listEntries(migrations)))) {
		throw new Error(
			`${databaseName} has the traffic already, by an update that did not come to its end, and with other migrations than ` +
				"these: set the release back to that one, or to the one before it, and run that update to its end first",
		);
	}
}

/** A release that was put back is a rollback that the operator asked for. */
async function recordUndone(
	context: DeploymentContext,
	deploymentId: number,
	{ undone, backups }: MigrationReport,
): Promise<void> {
	const newest = highestVersion(undone);
	if (newest === undefined) {
		return;
	}
	const steps = undone.map((version) => ({
		step: `undo ${version}`,
		status: "completed" as const,
		backups: backups.filter((backup) => backup.version === version).map(({ file }) => file),
	}));
	await recordPutBack(context, deploymentId, steps, newest);
}

/** The files of the wanted migrations, as they were when the program read them. */
function selectFiles(directory: string, entries: Inputs["migrations"]): Migration[] {
	const files = loadMigrations(directory);
	const gone = Object.keys(entries).filter((version) => !files.some((file) => file.version === version));
	if (gone.length > 0) {
		throw new Error(
			`${directory} has no file of ${gone.join(", ")} any more: put it back and run the update again`,
		);
	}
	return files.filter((file) => {
		const entry = entries[file.version];
		if (entry !== undefined && entry.checksum !== file.checksum) {
			throw new Error(`${file.path} was changed while the update ran: run the update again`);
		}
		return entry !== undefined;
	});
}
