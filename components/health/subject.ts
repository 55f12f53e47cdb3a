import { z } from "zod";
import { connectionSchema } from "../database/connection";
import { colorServersSchema } from "../replication/environment";
import { COLORS } from "../replication/node";
import { healthLimitsSchema } from "./limits";

/** What the checks have to know of one release's database and service; known before it runs. */
export const subjectSchema = z.object({
	/** The server's own database, as a role that sees all of its statistics. */
	statistics: connectionSchema,
	/** The release's database, as the service connects to it. */
	application: connectionSchema,
	/** The same, as the role that migrates it. */
	owner: connectionSchema,
	/** The release's migrations, by version. */
	migrations: z.record(z.string(), z.object({ name: z.string(), checksum: z.string() })),
	/** Paths that read something of each feature of the service. */
	paths: z.array(z.string()),
	limits: healthLimitsSchema,
	/** Where there are two colours: which one it is, and where both are. */
	color: z.object({ servers: colorServersSchema, color: z.enum(COLORS), generation: z.number() }).optional(),
});

export type HealthSubject = z.infer<typeof subjectSchema>;
