import { z } from "zod";
import { COLORS } from "../replication/node";

/** A migration as a release is told apart by it; the rest of the file is covered by the checksum. */
const releaseMigrationSchema = z.object({
	name: z.string(),
	type: z.string(),
	checksum: z.string(),
	dependsOn: z.array(z.string()),
	irreversible: z.string().optional(),
});

/** By version. */
const releaseMigrationsSchema = z.record(z.string(), releaseMigrationSchema);

export type ReleaseMigrations = z.infer<typeof releaseMigrationsSchema>;

/** One colour as the last finished update left it. */
export const colorRecordSchema = z.object({
	release: z.string(),
	/** Counts over both colours of a stack, so that it names one database for good. */
	generation: z.number().int().min(1),
	database: z.string(),
	/** The schema version that the release needs. */
	requiredSchema: z.string(),
	migrations: releaseMigrationsSchema,
	/** What the service was deployed with. */
	service: z.object({
		entry: z.string(),
		/** Where services are containers. */
		image: z.string().optional(),
		poolSize: z.number(),
		logLevel: z.string(),
		debugMode: z.boolean(),
		schemaCompatibility: z.string(),
		/** Where it is several tasks: how many, each with how much, on which processor. */
		tasks: z.number().optional(),
		cpu: z.number().optional(),
		memory: z.number().optional(),
		architecture: z.enum(["X86_64", "ARM64"]).optional(),
	}),
	/** The generation that its data was copied from; the first has none. */
	copiedFrom: z.number().int().min(1).optional(),
	/** When it last got the traffic, in ISO 8601. */
	switchedAt: z.string().optional(),
});

export type ColorRecord = z.infer<typeof colorRecordSchema>;

/** What the last finished update of a blue-green stack left, as it stands in the stack's outputs. */
export const lastOutputsSchema = z
	.object({
		live: z.enum(COLORS),
		colors: z.partialRecord(z.enum(COLORS), colorRecordSchema),
		nextGeneration: z.number().int().min(2),
	})
	.refine(({ live, colors }) => colors[live] !== undefined, {
		error: "the live colour is not among the colours",
	})
	.refine(({ colors }) => colors.blue?.generation !== colors.green?.generation, {
		error: "both colours have the same generation",
	})
	.refine(
		({ colors, nextGeneration }) =>
			Object.values(colors).every((color) => (color?.generation ?? 0) < nextGeneration),
		{ error: "a colour has a generation that is still to come" },
	);

export type LastOutputs = z.infer<typeof lastOutputsSchema>;

/** The release that the stack file asks for, with its migrations from their files. */
export interface DesiredRelease
	extends Pick<ColorRecord, "release" | "requiredSchema" | "migrations" | "service"> {
	/** Versions of the migrations that can be undone, of all that are known, wanted or not. */
	reversible: string[];
}
