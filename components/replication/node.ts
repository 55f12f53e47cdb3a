import type { Client } from "pg";
import { z } from "zod";
import { connectionSchema, withClient } from "../database/connection";

export const COLORS = ["blue", "green"] as const;
export type Color = (typeof COLORS)[number];

/** One generation of a colour, as a database that is kept in step with another. */
export const nodeSchema = z.strictObject({
	/** Begins the names of everything that replication makes, such as `counting_staging`. */
	base: z.string().regex(/^[a-z0-9_]{1,40}$/),
	color: z.enum(COLORS),
	/** Counts over both colours of a stack, so that it names one database for good. */
	generation: z.number().int().min(1),
	/** The colour's database, as a role that may make slots, subscriptions and triggers. */
	admin: connectionSchema,
	/** The role that owns the database and its tables; migrations run as it. */
	owner: z.string().min(1),
	/** The same database, as the role that the other colour copies from. */
	replication: connectionSchema,
	/** The same, as the other colour's server reaches it, if that is not as the deployment does. */
	publisher: connectionSchema.optional(),
});

export type Node = z.infer<typeof nodeSchema>;

/** As told to operators and used in names, such as `green-2`. */
export function nodeName({ color, generation }: Pick<Node, "color" | "generation">): string {
	return `${color}-${generation}`;
}

export function otherColor(color: Color): Color {
	return color === "blue" ? "green" : "blue";
}

/** What the publication and the slot on one side and the subscription on the other are called. */
export function linkName(from: Pick<Node, "base" | "generation">, to: Pick<Node, "generation">): string {
	return `${from.base}_${from.generation}_to_${to.generation}`;
}

const STATEMENT_TIMEOUT_MS = 30_000;
/** What a server that stands still has beyond a statement's own timeout, in milliseconds. */
const SILENCE_MS = 5000;

/** Works on a colour's database as its administrator. */
export function withNode<T>(
	node: Pick<Node, "admin">,
	purpose: string,
	work: (client: Client) => Promise<T>,
	statementTimeoutMs = STATEMENT_TIMEOUT_MS,
): Promise<T> {
	return withClient(
		node.admin,
		{
			applicationName: purpose,
			statementTimeoutMs,
			queryTimeoutMs: statementTimeoutMs + SILENCE_MS,
		},
		async (client) => {
			await client.query("SET default_transaction_read_only = off");
			return work(client);
		},
	);
}
