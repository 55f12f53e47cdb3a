import { z } from "zod";
import { type Connection, connectionSchema } from "../components/database/connection";

const environmentSchema = z.object({
	STAGE_ENVIRONMENT: z.enum(["development", "staging", "production"]),
	STAGE_STRATEGY: z.enum(["in-place", "blue-green"]),
	STAGE_RELEASE: z.string(),
	STAGE_WRITES: z.enum(["served", "refused"]),
	COLOR_URL: z.url().optional(),
	STAGE_SETTINGS: z
		.string()
		.transform((text) => JSON.parse(text))
		.pipe(
			z.looseObject({
				platform: z.string(),
				serviceEntry: z.string(),
				migrationsDirectory: z.string(),
			}),
		),
	PGHOST: z.string(),
	PGPORT: z.coerce.number(),
	PGDATABASE: z.string(),
	PGUSER: z.string(),
	PGPASSWORD: z.string(),
	PGSSLMODE: connectionSchema.shape.sslMode,
	APPLICATION_PGUSER: z.string(),
	APPLICATION_PGPASSWORD: z.string(),
});

/** What a stage is told by its environment variables. */
export interface Surroundings {
	environment: "development" | "staging" | "production";
	strategy: "in-place" | "blue-green";
	release: string;
	/** Whether the service may write: on a colour that does not have the traffic it may not. */
	writes: "served" | "refused";
	/** The service's address, where it runs already. */
	url?: string;
	settings: z.infer<typeof environmentSchema>["STAGE_SETTINGS"];
	/** The release's database as its owner. */
	owner: Connection;
	/** As the role of the service. */
	application: Connection;
}

/** @throws Error naming every variable that is missing or wrong, never its value */
export function readSurroundings(environment: NodeJS.ProcessEnv): Surroundings {
	const parsed = environmentSchema.safeParse(environment);
	if (!parsed.success) {
		const names = [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))];
		throw new Error(
			`this program is a stage of a deployment, which sets ${names.join(", ")}: declare it among the stack's stages`,
		);
	}
	const found = parsed.data;
	const owner: Connection = {
		host: found.PGHOST,
		port: found.PGPORT,
		database: found.PGDATABASE,
		user: found.PGUSER,
		password: found.PGPASSWORD,
		sslMode: found.PGSSLMODE,
	};
	return {
		environment: found.STAGE_ENVIRONMENT,
		strategy: found.STAGE_STRATEGY,
		release: found.STAGE_RELEASE,
		writes: found.STAGE_WRITES,
		...(found.COLOR_URL !== undefined && { url: found.COLOR_URL }),
		settings: found.STAGE_SETTINGS,
		owner,
		application: { ...owner, user: found.APPLICATION_PGUSER, password: found.APPLICATION_PGPASSWORD },
	};
}

/**
 * The service's address.
 *
 * @throws Error when there is none yet
 */
export function serviceUrl({ url }: Surroundings): string {
	if (url === undefined) {
		throw new Error("this stage needs the service: declare it with when: after-health");
	}
	return url;
}
