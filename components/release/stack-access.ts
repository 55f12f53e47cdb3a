import { z } from "zod";
import { type Connection, connectionSchema } from "../database/connection";
import { COLORS, type Color } from "../replication/node";
import { environmentNames } from "../settings/environments";

const colorSchema = z.object({
	release: z.string(),
	generation: z.number(),
	database: z.string(),
	url: z.string(),
});

const outputsSchema = z.object({
	url: z.string(),
	release: z.string(),
	environment: z.enum(environmentNames),
	strategy: z.enum(["in-place", "blue-green"]),
	catalog: connectionSchema,
	databaseHost: z.string(),
	databasePort: z.number(),
	databaseName: z.string(),
	databaseUser: z.string(),
	databasePassword: z.string(),
	live: z.enum(COLORS).optional(),
	colors: z.partialRecord(z.enum(COLORS), colorSchema).optional(),
	servers: z.partialRecord(z.enum(COLORS), connectionSchema).default({}),
});

type Outputs = z.infer<typeof outputsSchema>;

/** How the commands reach a deployed stack, as its last finished update left it. */
export interface StackAccess
	extends Pick<Outputs, "url" | "release" | "environment" | "strategy" | "live" | "colors"> {
	stack: string;
	/** The catalog, as a role that may only read. */
	catalog: Connection;
	/** The database that has the traffic, as the service's own role. */
	application: Connection;
	/** Each colour's server, as a role that may read its statistics and no rows; none for strategy `in-place`. */
	servers: Partial<Record<Color, Connection>>;
}

/**
 * Finds in a stack's outputs how to reach it. `openStack` in `scripts/stack-access.ts` reads the outputs themselves.
 *
 * @param outputs decrypted
 * @throws Error telling what is missing, never a value
 */
export function stackAccess(stack: string, outputs: unknown): StackAccess {
	const parsed = outputsSchema.safeParse(outputs);
	if (!parsed.success) {
		const keys = [...new Set(parsed.error.issues.map(({ path }) => path.join(".")))].join(", ");
		throw new Error(
			`the outputs of stack ${stack} do not tell ${keys}: deploy it first (npm run pulumi -- up -s ${stack}); ` +
				"a stack that an older version deployed gets them with its next update",
		);
	}
	const { databaseHost, databasePort, databaseName, databaseUser, databasePassword, ...access } = parsed.data;
	return {
		stack,
		...access,
		application: {
			host: databaseHost,
			port: databasePort,
			database: databaseName,
			user: databaseUser,
			password: databasePassword,
			sslMode: access.catalog.sslMode,
			...(access.catalog.sslRootCert !== undefined && { sslRootCert: access.catalog.sslRootCert }),
		},
	};
}
