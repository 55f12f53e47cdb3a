import { isIPv4 } from "node:net";
import { z } from "zod";
import { readDeclaredStages } from "./declared-stages";
import { environmentNames } from "./environments";
import { isPathList } from "./feature-paths";

/** A field of the stack config: how its text is read and, in the operator's words, what is allowed. */
function field<T>(allowed: string, read: (text: string) => T | undefined) {
	return z
		.string()
		.transform((text, context) => {
			const value = read(text.trim());
			if (value === undefined) {
				context.addIssue({ code: "custom", message: allowed });
				return z.NEVER;
			}
			return value;
		})
		.meta({ allowed });
}

function oneOf<const T extends readonly string[]>(values: T) {
	return field(`one of ${values.join(", ")}`, (text) =>
		values.find((value): value is T[number] => value === text),
	);
}

function wholeNumber(from: number, to: number, unit = "") {
	return field(`a whole number from ${from} to ${to}${unit && ` (${unit})`}`, (text) => {
		const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
		return value >= from && value <= to ? value : undefined;
	});
}

function flag() {
	return field("true or false", (text) => (text === "true" ? true : text === "false" ? false : undefined));
}

function seconds(from: number, to: number) {
	return wholeNumber(from, to, "seconds");
}

function milliseconds(from: number, to: number) {
	return wholeNumber(from, to, "milliseconds");
}

const VERSION = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/;

function version() {
	return field("a version of three numbers, such as 1.3.0", (text) =>
		VERSION.test(text) ? text : undefined,
	);
}

function versionList() {
	return field("versions of migrations, separated by commas, such as 1.5.0, 1.6.0", (text) => {
		const versions = text === "" ? [] : text.split(",").map((part) => part.trim());
		return versions.every((part) => VERSION.test(part)) ? versions : undefined;
	});
}

function stackName(...more: string[]) {
	return field(["the name of a stack of this project", ...more].join(", "), (text) =>
		/^[A-Za-z0-9_.-]{1,100}$/.test(text) ? text : undefined,
	);
}

function pathInProject() {
	return field("a path inside the project, such as migrations", (text) =>
		text !== "" && !text.startsWith("/") && !text.split(/[\\/]/).includes("..") && !text.includes("\0")
			? text
			: undefined,
	);
}

function webAddress() {
	return field("an address that begins with https:// or http://, without user and password", (text) => {
		const url = URL.canParse(text) ? new URL(text) : undefined;
		const isPlain = url?.username === "" && url.password === "";
		return isPlain && ["https:", "http:"].includes(url.protocol) ? text : undefined;
	});
}

function image(example: string) {
	return field(`an image with its tag (not latest) or digest, such as ${example}`, (text) => {
		const named =
			/^[a-z0-9][a-z0-9._:/-]*?(:([A-Za-z0-9_][A-Za-z0-9_.{}-]*|\{release\}))?(@sha256:[0-9a-f]{64})?$/.exec(
				text,
			);
		const [, , tag, digest] = named ?? [];
		return digest !== undefined || (tag !== undefined && tag !== "latest") ? text : undefined;
	});
}

function dockerHost() {
	return field("the socket of this machine's Docker engine, such as unix:///var/run/docker.sock", (text) =>
		/^(unix|npipe):\/\/\S+$/.test(text) ? text : undefined,
	);
}

function ipAddress() {
	return field("an IPv4 address of the Docker host, such as 0.0.0.0 for all of them", (text) =>
		isIPv4(text) ? text : undefined,
	);
}

/** As the Standard Webhooks specification has it. */
function signingKey() {
	return field("24 to 64 random bytes in base64, as `openssl rand -base64 32` makes them", (text) => {
		const base64 = text.replace(/^whsec_/, "");
		const bytes = Buffer.from(base64, "base64");
		const isExact = bytes.toString("base64").replace(/=+$/, "") === base64.replace(/=+$/, "");
		return isExact && bytes.length >= 24 && bytes.length <= 64 ? text : undefined;
	});
}

function pathList() {
	return field("paths with their query, each beginning with /, separated by commas; or none", (text) =>
		isPathList(text) ? text : undefined,
	);
}

/** What reads something of each feature of the counting API and changes nothing. */
const FEATURES = [
	"/cameras?limit=1",
	"/counting-results?cameraId=1&limit=1",
	"/counting-results/hourly?cameraId=1&from=2000-01-01T00:00:00Z&to=2000-01-01T01:00:00Z",
].join(", ");

/** The stages that an environment declares: a structured value, whose mistakes are told each with its place. */
function declaredStages() {
	return z.string().transform((text, context) => {
		const report = (where: string, what: string) =>
			context.addIssue({ code: "custom", message: what, params: { where } });
		return readDeclaredStages(text, report) ?? z.NEVER;
	});
}

/** Where a stack can run. */
const platforms = ["local", "docker", "aws"] as const;
export const platformSchema = z.enum(platforms);

/** Every key of the stack config. Values are texts, as Pulumi hands them to a program. */
export const configSchema = z.strictObject({
	environment: oneOf(environmentNames),
	platform: oneOf(platforms),
	strategy: oneOf(["in-place", "blue-green"]),
	release: version(),
	poolSize: wholeNumber(1, 1000).optional(),
	maxConnections: wholeNumber(1, 5000).optional(),
	backupSchedule: oneOf(["hourly", "daily", "weekly"]).optional(),
	monitoring: flag().optional(),
	alerting: flag().optional(),
	logLevel: oneOf(["debug", "info", "warn", "error"]).optional(),
	debugMode: flag().optional(),
	sslMode: oneOf(["disable", "require", "verify-full"]).optional(),
	databasePort: wholeNumber(1024, 65535).optional(),
	gatewayPort: wholeNumber(1024, 65535).optional(),
	dockerHost: dockerHost().optional(),
	publicAddress: ipAddress().optional(),
	routerPort: wholeNumber(1024, 65535).optional(),
	databaseImage: image("postgres:18.4").optional(),
	routerImage: image("haproxy:3.2.4").optional(),
	serviceImage: image("counting-api:{release}").optional(),
	migrationsDirectory: pathInProject().default("migrations"),
	allowOutOfOrder: flag().default(false),
	serviceEntry: pathInProject().default("service/main.ts"),
	schemaCompatibility: oneOf(["same-major", "any-newer"]).default("same-major"),
	startTimeoutSeconds: seconds(5, 3600).default(60),
	readyTimeoutSeconds: seconds(1, 3600).default(30),
	drainTimeoutSeconds: seconds(1, 600).default(10),
	featureEndpoints: pathList().default(FEATURES),
	slowConnectionMilliseconds: milliseconds(1, 60_000).optional(),
	slowRequestMilliseconds: milliseconds(1, 60_000).optional(),
	slowStatementMilliseconds: milliseconds(1, 600_000).optional(),
	slowStatementFailMilliseconds: milliseconds(1, 600_000).optional(),
	connectionsWarningPercent: wholeNumber(1, 100, "percent").default(80),
	connectionsFailPercent: wholeNumber(1, 100, "percent").default(95),
	lockTimeoutSeconds: seconds(1, 60).default(2),
	lockRetries: wholeNumber(0, 100).default(10),
	statementTimeoutSeconds: seconds(1, 86_400).default(300),
	migrationQueueSeconds: seconds(1, 3600).default(60),
	serverPerColor: flag().default(false),
	copyWorkers: wholeNumber(1, 16).default(4),
	copyVerification: oneOf(["checksums", "counts"]).default("checksums"),
	copyTimeoutSeconds: seconds(60, 604_800).default(86_400),
	catchUpTimeoutSeconds: seconds(1, 86_400).default(300),
	slotTimeoutSeconds: seconds(1, 3600).default(60),
	maxLagKilobytes: wholeNumber(1, 1_048_576, "kilobytes").default(1024),
	lagWarningSeconds: seconds(1, 86_400).optional(),
	lagFailSeconds: seconds(1, 86_400).optional(),
	longTransactionSeconds: seconds(0, 3600).default(30),
	endLongTransactions: flag().default(false),
	pauseTimeoutMilliseconds: milliseconds(100, 60_000).default(5000),
	bakeSeconds: seconds(0, 3600).optional(),
	bakeMaxErrorPercent: wholeNumber(0, 100, "percent").default(1),
	bakeMaxLatencyMilliseconds: milliseconds(1, 60_000).default(1000),
	stages: declaredStages().optional(),
	promoteFrom: stackName("or none").optional(),
	releaseWithoutStaging: version().optional(),
	approvedMigrations: versionList().default([]),
	protectDatabases: flag().optional(),
	allowDestroy: stackName().optional(),
	notifyUrl: webAddress().optional(),
	notifyFormat: oneOf(["generic", "slack"]).default("generic"),
	notifySecret: signingKey().optional(),
});

/** Keys whose values must be encrypted in the stack file, and are shown nowhere. */
export const secretConfigKeys = ["notifyUrl", "notifySecret"] as const satisfies (keyof Config)[];

export type Config = z.infer<typeof configSchema>;
export type ConfigKey = keyof Config;
export const configKeys = Object.keys(configSchema.shape) as ConfigKey[];

/** What a key's value may be, in words; undefined for a structured one. */
export function allowedFor(key: ConfigKey): string | undefined {
	let schema: z.ZodType = configSchema.shape[key];
	while ("unwrap" in schema && typeof schema.unwrap === "function") {
		schema = schema.unwrap();
	}
	const text = schema.meta()?.allowed;
	return typeof text === "string" ? text : undefined;
}
