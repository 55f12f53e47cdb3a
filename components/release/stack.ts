import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { loadMigrations } from "../migrations/files";
import { highestVersion, type Migration } from "../migrations/migration";
import { wantedFor } from "../migrations/order";
import { parseSettings, type Settings } from "../settings/settings";
import { routedRelease } from "../traffic/local/router-file";
import { type InPlacePlan, planInPlace } from "./in-place";
import { localNames, type StackNames } from "./names";

/** Everything that an update is decided by. */
export interface StackInputs {
	stack: string;
	settings: Settings;
	names: StackNames;
	/** Those of the release, in the order of their application. */
	migrations: Migration[];
	/** The schema version that the release needs. */
	requiredSchema: string;
	plan: InPlacePlan;
	/** Whether no update of this stack has finished yet. */
	first: boolean;
}

/**
 * Reads the stack config, the migration files and what the last update left, before any resource is declared.
 *
 * @throws RunError with every mistake in the stack config or in the migration files
 */
export async function readStack(): Promise<StackInputs> {
	const stack = pulumi.getStack();
	const { settings, migrations } = readFiles();
	const last = await lastRelease();
	const names = localNames(stack);
	return {
		stack,
		settings,
		names,
		migrations,
		requiredSchema: schemaOf(migrations),
		plan: planInPlace(
			[last, routedRelease(names.routerFile)].filter((release) => release !== undefined),
			settings.release,
		),
		first: last === undefined,
	};
}

/** The SDK hands a program the names of its secret config keys in its environment and has no function for them. */
const secretKeysSchema = z.array(z.string());

function readFiles(): { settings: Settings; migrations: Migration[] } {
	try {
		const settings = readSettings();
		const { release, migrationsDirectory } = settings;
		const files = loadMigrations(migrationsDirectory);
		const migrations = wantedFor(release, files);
		if (migrations.length === 0) {
			throw new Error(
				files.length === 0
					? `${migrationsDirectory} has no migrations: add the first one`
					: `release: found ${release}; allowed: ${files[0]?.version} or newer, the version of the first migration`,
			);
		}
		if (pulumi.runtime.isDryRun() && !files.some(({ version }) => version === release)) {
			void pulumi.log.warn(
				`release ${release} brings no migration of its own; it runs on schema ${schemaOf(migrations)}`,
			);
		}
		return { settings, migrations };
	} catch (error) {
		// Shown as it is: a mistake of the operator's needs no stack trace.
		throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
	}
}

/** The schema version that a release needs: that of its newest migration. */
function schemaOf(migrations: readonly Migration[]): string {
	return highestVersion(migrations.map(({ version }) => version)) ?? "none";
}

function readSettings(): Settings {
	const values = pulumi.runtime.allConfig();
	return parseSettings({
		project: pulumi.getProject(),
		values,
		secretKeys: secretKeysSchema.parse(JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS || "[]")),
	});
}

const lastOutputsSchema = z.object({ release: z.string() });

/** What this stack's last finished update left, or undefined before the first one. */
async function lastRelease(): Promise<string | undefined> {
	const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
	const self = new pulumi.StackReference("self", { name });
	const parsed = lastOutputsSchema.safeParse({ release: (await self.getOutputDetails("release")).value });
	return parsed.data?.release;
}
