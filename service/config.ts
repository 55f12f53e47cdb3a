import { readFileSync } from "node:fs";
import semver from "semver";
import { z } from "zod";

/** The schema version that brought the table in which a batch is noted as stored. */
const QUEUE_SINCE = "1.4.0";

/** One environment variable: what is allowed, in words, and how its text is read. */
function setting<T>(allowed: string, read: (text: string) => T | undefined) {
	return z.string(allowed).transform((text, context): T => {
		const value = read(text);
		if (value === undefined) {
			context.addIssue(allowed);
			return z.NEVER;
		}
		return value;
	});
}

function choice<const T extends readonly [string, ...string[]]>(values: T) {
	return z.enum(values, `one of ${values.join(", ")}`);
}

function integer(min: number, max: number) {
	return setting(`a whole number from ${min} to ${max}`, (text) => {
		const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
		return value >= min && value <= max ? value : undefined;
	});
}

const version = (what: string) =>
	setting(`${what}, as in 1.3.0`, (text) => (semver.valid(text) === text ? text : undefined));
const text = (what: string) => z.string(what).min(1, what);

/** A file of certificates that servers are checked with, in place of the system's: its content. */
function certificates() {
	return setting("a file of certificates (PEM) that the service can read, or leave it out", (file) => {
		try {
			const text = readFileSync(file, "utf8");
			return text.includes("-----BEGIN CERTIFICATE-----") ? text : undefined;
		} catch {
			// What is said names the file and what it should be.
			return undefined;
		}
	}).optional();
}

const configSchema = z.object({
	HOST: text("an address to listen on").default("127.0.0.1"),
	PORT: integer(0, 65535),
	INSTANCE: text("a token, or leave it out").optional(),
	RELEASE: version("the version of this release"),
	REQUIRED_SCHEMA: version("the schema version that this release needs (1.0.0 or newer)").refine(
		(found) => semver.gte(found, "1.0.0"),
		{ error: "1.0.0 or newer: the first schema that has cameras", abort: true },
	),
	SCHEMA_COMPATIBILITY: choice(["same-major", "any-newer"]).default("same-major"),
	POOL_SIZE: integer(1, 1000).default(10),
	STATEMENT_TIMEOUT_MS: integer(1, 600_000).default(10_000),
	DRAIN_TIMEOUT_SECONDS: integer(1, 600).default(10),
	LOG_LEVEL: choice(["debug", "info", "warn", "error"]).default("info"),
	DEBUG_MODE: choice(["true", "false"])
		.default("false")
		.transform((found) => found === "true"),
	PGHOST: text("the database server's name or address"),
	PGPORT: integer(1, 65535),
	PGDATABASE: text("the name of the database"),
	PGUSER: text("the role to connect as"),
	PGPASSWORD: z.string("the role's password"),
	PGSSLMODE: choice(["disable", "require", "verify-full"]),
	PGSSLROOTCERT: certificates(),
	CACHE_NAMESPACE: text(
		"what tells the cache of this colour and generation from others, as in blue-1",
	).default("service"),
	CACHE_ENTRIES: integer(0, 100_000).default(1000),
	CACHE_TTL_MS: integer(1, 3_600_000).default(30_000),
	QUEUE_MAX_JOBS: integer(1, 1_000_000).default(1000),
	QUEUE_TRIES: integer(1, 100).default(6),
	QUEUE_JOB_TIMEOUT_SECONDS: integer(1, 3600).default(60),
	QUEUE_KEEP_SECONDS: integer(1, 31_536_000).default(604_800),
});

const queueSchema = z.object({
	QUEUE_PGHOST: text("the queue's database server"),
	QUEUE_PGPORT: integer(1, 65535),
	QUEUE_PGDATABASE: text("the name of the queue's database"),
	QUEUE_PGUSER: text("the role to connect to it as"),
	QUEUE_PGPASSWORD: z.string("the role's password"),
	QUEUE_PGSSLMODE: choice(["disable", "require", "verify-full"]),
	QUEUE_PGSSLROOTCERT: certificates(),
});

type Environment = z.infer<typeof configSchema>;
type QueueEnvironment = z.infer<typeof queueSchema>;

export type Compatibility = Environment["SCHEMA_COMPATIBILITY"];

/** What one process of the counting API is told by its environment. */
export interface ServiceConfig {
	host: string;
	/** 0 lets the system pick one. */
	port: number;
	/** Echoed by /healthz, so that whoever started the process can tell it from another one on the same port. */
	instance: string | null;
	release: string;
	requiredSchema: string;
	compatibility: Compatibility;
	poolSize: number;
	statementTimeoutMs: number;
	/** Seconds that requests in flight have when the service is told to end. */
	drainTimeoutSeconds: number;
	logLevel: Environment["LOG_LEVEL"];
	debugMode: boolean;
	database: DatabaseTarget;
	cache: {
		/** Begins its keys, so that no colour or generation could be taken for another one. */
		namespace: string;
		/** Most answers that are kept; 0 keeps none. */
		entries: number;
		/** Milliseconds after which an answer is asked for again. */
		ttlMs: number;
	};
	/** Undefined for a release that does not have it. */
	queue: QueueConfig | undefined;
}

export interface QueueConfig {
	database: DatabaseTarget;
	/** Jobs that may wait; past it no more are taken. */
	maxJobs: number;
	/** How often a job is tried before it is given up. */
	tries: number;
	/** Seconds after which a job that is being worked on counts as forsaken, and is tried again. */
	jobTimeoutSeconds: number;
	/** Seconds that a finished job can be asked about. */
	keepSeconds: number;
}

export interface DatabaseTarget {
	host: string;
	port: number;
	database: string;
	user: string;
	/** Never logged. */
	password: string;
	sslMode: Environment["PGSSLMODE"];
	/** PEM, which `verify-full` trusts in place of the system's. */
	certificates?: string;
}

/** The environment does not describe a service; the message has one line per variable. */
export class ConfigError extends Error {
	override name = "ConfigError";
}

/**
 * Reads the settings from environment variables, and passwords from the files that `PGPASSWORD_FILE` and
 * `QUEUE_PGPASSWORD_FILE` name, where they are set.
 *
 * @throws ConfigError naming every variable that is missing or wrong, what was found and what is allowed.
 */
export function readConfig(environment: Record<string, string | undefined>): ServiceConfig {
	const env = withPasswordFiles(environment);
	const parsed = configSchema.safeParse(env);
	const queue = needsQueue(env.REQUIRED_SCHEMA) ? queueSchema.safeParse(env) : undefined;
	if (!parsed.success || queue?.success === false) {
		const issues = [...(parsed.error?.issues ?? []), ...(queue?.error?.issues ?? [])];
		const lines = issues.map((issue) => explain(String(issue.path[0]), issue.message, env));
		throw new ConfigError(`the service's environment is not valid:\n${lines.join("\n")}`);
	}
	const found = parsed.data;
	return {
		host: found.HOST,
		port: found.PORT,
		instance: found.INSTANCE ?? null,
		release: found.RELEASE,
		requiredSchema: found.REQUIRED_SCHEMA,
		compatibility: found.SCHEMA_COMPATIBILITY,
		poolSize: found.POOL_SIZE,
		statementTimeoutMs: found.STATEMENT_TIMEOUT_MS,
		drainTimeoutSeconds: found.DRAIN_TIMEOUT_SECONDS,
		logLevel: found.LOG_LEVEL,
		debugMode: found.DEBUG_MODE,
		database: {
			host: found.PGHOST,
			port: found.PGPORT,
			database: found.PGDATABASE,
			user: found.PGUSER,
			password: found.PGPASSWORD,
			sslMode: found.PGSSLMODE,
			...(found.PGSSLROOTCERT !== undefined && { certificates: found.PGSSLROOTCERT }),
		},
		cache: {
			namespace: found.CACHE_NAMESPACE,
			entries: found.CACHE_ENTRIES,
			ttlMs: found.CACHE_TTL_MS,
		},
		queue: queue && queueConfig(found, queue.data),
	};
}

/** Containers get passwords as files: their environment can be read by whoever may look at them. */
function withPasswordFiles(env: Record<string, string | undefined>): Record<string, string | undefined> {
	const read = { ...env };
	const problems: string[] = [];
	for (const key of ["PGPASSWORD", "QUEUE_PGPASSWORD"]) {
		const file = env[`${key}_FILE`];
		if (file === undefined) {
			continue;
		}
		if (env[key] !== undefined) {
			problems.push(`  ${key} and ${key}_FILE are both set: leave one out`);
			continue;
		}
		try {
			read[key] = readFileSync(file, "utf8").replace(/\r?\n$/, "");
		} catch (error) {
			const reason = error instanceof Error ? error.message : String(error);
			problems.push(
				`  ${key}_FILE is "${file}": name a file with the password that the service can read (${reason})`,
			);
		}
	}
	if (problems.length > 0) {
		throw new ConfigError(`the service's environment is not valid:\n${problems.join("\n")}`);
	}
	return read;
}

/** Whether a release that needs this schema takes batches into the queue. */
function needsQueue(requiredSchema: string | undefined): boolean {
	return semver.valid(requiredSchema) !== null && semver.gte(requiredSchema ?? "", QUEUE_SINCE);
}

function queueConfig(found: Environment, queue: QueueEnvironment): QueueConfig {
	return {
		database: {
			host: queue.QUEUE_PGHOST,
			port: queue.QUEUE_PGPORT,
			database: queue.QUEUE_PGDATABASE,
			user: queue.QUEUE_PGUSER,
			password: queue.QUEUE_PGPASSWORD,
			sslMode: queue.QUEUE_PGSSLMODE,
			...(queue.QUEUE_PGSSLROOTCERT !== undefined && { certificates: queue.QUEUE_PGSSLROOTCERT }),
		},
		maxJobs: found.QUEUE_MAX_JOBS,
		tries: found.QUEUE_TRIES,
		jobTimeoutSeconds: found.QUEUE_JOB_TIMEOUT_SECONDS,
		keepSeconds: found.QUEUE_KEEP_SECONDS,
	};
}

function explain(key: string, allowed: string, env: Record<string, string | undefined>): string {
	const value = env[key];
	const found = value === undefined ? "not set" : key.endsWith("PGPASSWORD") ? "not usable" : `"${value}"`;
	return `  ${key} is ${found}: set it to ${allowed}`;
}
