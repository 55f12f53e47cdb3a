import { Client } from "pg";
import { z } from "zod";

const TIMEOUT_MS = 10_000;

const environmentSchema = z.object({
	COLOR_URL: z.url("must be the address of the colour's service, as in http://127.0.0.1:8080"),
	PGHOST: z.string("must be the colour's database server"),
	PGPORT: z.coerce.number("must be its port").int().min(1).max(65535),
	PGDATABASE: z.string("must be the colour's database"),
	PGUSER: z.string("must be a role that can read it"),
	PGPASSWORD: z.string("must be that role's password"),
	PGSSLMODE: z.enum(["disable", "require", "verify-full"]).default("disable"),
});

export interface Answer {
	status: number;
	headers: Headers;
	body: unknown;
}

/** The colour that a stage is run on: its service and its database. */
export interface Color {
	/** Asks the service. A stage writes nothing: on a colour that waits for the traffic writes are refused. */
	get(path: string): Promise<Answer>;
	query<T extends object>(sql: string, values?: unknown[]): Promise<T[]>;
}

/**
 * Runs a stage on the colour that the environment names, and ends the process: with 0 and what `work` found, or with 1
 * and what it threw.
 */
export async function onColor(work: (color: Color) => Promise<string>): Promise<void> {
	try {
		process.stdout.write(`${await connected(work)}\n`);
	} catch (error) {
		process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
		process.exitCode = 1;
	}
}

async function connected(work: (color: Color) => Promise<string>): Promise<string> {
	const parsed = environmentSchema.safeParse(process.env);
	if (!parsed.success) {
		const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join(".")} ${message}`);
		throw new Error(`the stage's environment is not valid:\n${problems.join("\n")}`);
	}
	const { COLOR_URL: url, PGSSLMODE: sslMode, ...database } = parsed.data;
	const client = new Client({
		host: database.PGHOST,
		port: database.PGPORT,
		database: database.PGDATABASE,
		user: database.PGUSER,
		password: database.PGPASSWORD,
		ssl: sslMode === "disable" ? false : { rejectUnauthorized: sslMode === "verify-full" },
		application_name: "deployment-stage",
		connectionTimeoutMillis: TIMEOUT_MS,
		statement_timeout: TIMEOUT_MS,
		query_timeout: TIMEOUT_MS,
	});
	client.on("error", () => {});
	await client.connect();
	try {
		return await work({
			async get(path) {
				const reply = await fetch(new URL(path, url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
				return { status: reply.status, headers: reply.headers, body: await reply.json() };
			},
			async query<T extends object>(sql: string, values?: unknown[]) {
				return (await client.query(sql, values)).rows as T[];
			},
		});
	} finally {
		await client.end();
	}
}

/** The answer to a request that has to succeed. */
export async function mustGet(color: Color, path: string): Promise<Answer> {
	const answer = await color.get(path);
	if (answer.status !== 200) {
		throw new Error(`GET ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
	}
	return answer;
}

const jobsSchema = z.object({ worker: z.enum(["working", "resting"]), waiting: z.number() });

/** What the worker of the queue does; undefined for a release that has no queue. */
export async function workerState(color: Color): Promise<"working" | "resting" | undefined> {
	const { status } = await color.get("/jobs");
	return status === 501 ? undefined : jobsSchema.parse((await mustGet(color, "/jobs")).body).worker;
}
