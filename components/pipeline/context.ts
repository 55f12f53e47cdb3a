import { z } from "zod";
import { connectionSchema } from "../database/connection";

/** What a provider that works on a deployment has to know to write it down and to undo it. */
export const deploymentContextSchema = z.object({
	environment: z.enum(["development", "staging", "production"]),
	/** What the catalog calls the stack's deployments. */
	pipelineName: z.string(),
	/** The release that the update brings. */
	release: z.string(),
	/** The stages that a deployment goes through, in their order. */
	stages: z
		.array(
			z.object({
				name: z.string(),
				type: z.enum(["build", "test", "deploy", "validate", "rollback"]),
				config: z.record(z.string(), z.unknown()),
			}),
		)
		.default([]),
	/** The settings of the update, for its record; nothing secret. */
	settings: z.record(z.string(), z.unknown()).default({}),
	catalog: connectionSchema,
	/** The release's database, as its owner. */
	target: connectionSchema,
	/** What the catalog calls that database. */
	targetName: z.string(),
	/** Where rows are saved before an undo destroys them, from the project's folder. */
	backupDirectory: z.string(),
	/**
	 * What becomes of the migrations that a failed update has applied: undone where they were applied to the live
	 * database; kept on an idle colour, where the next update goes on from them.
	 */
	onFailure: z.enum(["undo", "keep"]),
	/** Whom to tell of the deployment's start and end; nobody when it is left out. */
	notify: z
		.object({ url: z.string(), format: z.enum(["generic", "slack"]), secret: z.string().optional() })
		.optional(),
	migrations: z.object({
		lockTimeoutMs: z.number(),
		lockRetries: z.number(),
		statementTimeoutMs: z.number(),
		advisoryLockTimeoutMs: z.number(),
		allowOutOfOrder: z.boolean(),
	}),
});

export type DeploymentContext = z.infer<typeof deploymentContextSchema>;
