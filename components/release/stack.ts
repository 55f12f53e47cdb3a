import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { guard } from "../guards/guard";
import type { Migration } from "../migrations/migration";
import { parseSettings, type Settings } from "../settings/settings";
import { LAST_UPDATE_OUTPUTS, type LastUpdate, lastUpdateOf } from "./last-update";
import { deployedChoices, refuseOtherChoices } from "./lasting-choices";
import { localNames, type StackNames } from "./names";
import { type ReleaseFiles, releaseFiles } from "./release-files";

/** Everything that an update is decided by. */
export interface StackInputs {
	stack: string;
	settings: Settings;
	names: StackNames;
	/** Those of the release, in the order of their application. */
	migrations: Migration[];
	/** Versions of the migrations that can be undone, of all that there are files of. */
	reversible: string[];
	/** The schema version that the release needs. */
	requiredSchema: string;
	/** What the last finished update left; undefined before there was one. */
	last: LastUpdate | undefined;
}

/**
 * Reads the stack config, the migration files and what the last update left, before any resource is declared.
 *
 * @throws RunError with every mistake in the stack config or in the migration files
 */
export async function readStack(): Promise<StackInputs> {
	const stack = pulumi.getStack();
	const { settings, files } = readFiles();
	const { migrations, reversible, requiredSchema } = files;
	const last = await lastUpdate();
	asRunError(() =>
		refuseOtherChoices(last && deployedChoices({ ...last, live: last.colors?.live }), settings),
	);
	await guard({ settings, migrations, ...(last && { last }) });
	return {
		stack,
		settings,
		names: localNames(stack),
		migrations,
		reversible,
		requiredSchema,
		last,
	};
}

/** Shows a mistake of the operator's as it is: it needs no stack trace. */
export function asRunError<T>(work: () => T): T {
	try {
		return work();
	} catch (error) {
		throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
	}
}

/** The SDK hands a program the names of its secret config keys in its environment and has no function for them. */
const secretKeysSchema = z.array(z.string());

function readFiles(): { settings: Settings; files: ReleaseFiles } {
	return asRunError(() => {
		const settings = readSettings();
		const files = releaseFiles(settings);
		if (pulumi.runtime.isDryRun() && files.leftOut.length > 0) {
			const names = files.leftOut.map(({ version, name }) => `${version} ${name}`).join(", ");
			void pulumi.log.info(`seed data that ${settings.environment} does not get: ${names}`);
		}
		if (pulumi.runtime.isDryRun() && !files.bringsMigration) {
			void pulumi.log.warn(
				`release ${settings.release} brings no migration of its own; it runs on schema ${files.requiredSchema}`,
			);
		}
		return { settings, files };
	});
}

function readSettings(): Settings {
	const values = pulumi.runtime.allConfig();
	return parseSettings({
		project: pulumi.getProject(),
		values,
		secretKeys: secretKeysSchema.parse(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS || "[]")),
	});
}

/** What this stack's last finished update left, or undefined before the first one. */
async function lastUpdate(): Promise<LastUpdate | undefined> {
	const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
	const self = new pulumi.StackReference("self", { name });
	const read = LAST_UPDATE_OUTPUTS.map(async (key) => [key, (await self.getOutputDetails(key)).value]);
	const outputs = Object.fromEntries(await Promise.all(read));
	return asRunError(() => lastUpdateOf(outputs));
}
