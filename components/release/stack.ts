import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { guard } from "../guards/guard";
import { loadMigrations } from "../migrations/files";
import { highestVersion, type Migration } from "../migrations/migration";
import { wantedFor } from "../migrations/order";
import { runningIn } from "../migrations/seed-data";
import { platformSchema } from "../settings/schema";
import { parseSettings, type Settings } from "../settings/settings";
import { type LastOutputs, lastOutputsSchema } from "./color-record";
import { deployedChoices, refuseOtherChoices } from "./lasting-choices";
import { localNames, type StackNames } from "./names";

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

export interface LastUpdate {
	release: string;
	/** Releases that the stack has completed, the newest last. */
	completed: string[];
	/** Of the program that deployed it. */
	programVersion?: string;
	/** Where it was deployed. */
	platform?: Settings["platform"];
	/** Versions of the migrations that what is live was deployed with. */
	migrations: string[];
	/** The colours, where there are any. */
	colors?: LastOutputs;
}

/**
 * Reads the stack config, the migration files and what the last update left, before any resource is declared.
 *
 * @throws RunError with every mistake in the stack config or in the migration files
 */
export async function readStack(): Promise<StackInputs> {
	const stack = pulumi.getStack();
	const { settings, migrations, reversible } = readFiles();
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
		requiredSchema: schemaOf(migrations),
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

function readFiles(): Pick<StackInputs, "settings" | "migrations" | "reversible"> {
	return asRunError(() => {
		const settings = readSettings();
		const { release, migrationsDirectory } = settings;
		const files = loadMigrations(migrationsDirectory);
		const released = wantedFor(release, files);
		const migrations = runningIn(settings.environment, released);
		if (migrations.length === 0) {
			throw new Error(
				files.length === 0
					? `${migrationsDirectory} has no migrations: add the first one`
					: `release: found ${release}; allowed: ${files[0]?.version} or newer, the version of the first migration`,
			);
		}
		const leftOut = released.filter((migration) => !migrations.includes(migration));
		if (pulumi.runtime.isDryRun() && leftOut.length > 0) {
			const names = leftOut.map(({ version, name }) => `${version} ${name}`).join(", ");
			void pulumi.log.info(`seed data that ${settings.environment} does not get: ${names}`);
		}
		if (pulumi.runtime.isDryRun() && !files.some(({ version }) => version === release)) {
			void pulumi.log.warn(
				`release ${release} brings no migration of its own; it runs on schema ${schemaOf(migrations)}`,
			);
		}
		const reversible = files.filter(({ down }) => down !== undefined).map(({ version }) => version);
		return { settings, migrations, reversible };
	});
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

const lastUpdateSchema = z.object({
	release: z.string(),
	completed: z.array(z.string()).default([]),
	programVersion: z.string().optional(),
	platform: platformSchema.optional(),
	migrations: z.array(z.string()),
});

/** What this stack's last finished update left, or undefined before the first one. */
async function lastUpdate(): Promise<LastUpdate | undefined> {
	const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
	const self = new pulumi.StackReference("self", { name });
	const output = async (key: string): Promise<unknown> => (await self.getOutputDetails(key)).value;
	const release = z.string().safeParse(await output("release"));
	if (!release.success) {
		return undefined;
	}
	const common = lastUpdateSchema.parse({
		release: release.data,
		completed: await output("completed"),
		programVersion: await output("programVersion"),
		platform: await output("platform"),
		migrations: Object.keys((await output("migrations")) ?? {}),
	});
	const live = await output("live");
	if (live === undefined) {
		return common;
	}
	const found = { live, colors: await output("colors"), nextGeneration: await output("nextGeneration") };
	const colors = lastOutputsSchema.safeParse(found);
	if (!colors.success) {
		throw new pulumi.RunError(
			`the stack's outputs do not tell what its colours are:\n${z.prettifyError(colors.error)}\n` +
				"put the outputs back with `stack import` of an earlier `stack export`",
		);
	}
	return { ...common, colors: colors.data };
}
