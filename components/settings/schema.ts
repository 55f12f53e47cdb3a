import { z } from "zod";
import { awsFields } from "./aws-fields";
import { readDeclaredStages } from "./declared-stages";
import { environmentNames } from "./environments";
import {
	dockerHost,
	flag,
	image,
	ipAddress,
	milliseconds,
	oneOf,
	pathInProject,
	pathList,
	seconds,
	signingKey,
	stackName,
	version,
	versionList,
	webAddress,
	wholeNumber,
} from "./fields";

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
	withoutSuperuser: flag().optional(),
	publicAddress: ipAddress().optional(),
	routerPort: wholeNumber(1024, 65535).optional(),
	databaseImage: image("postgres:18.4").optional(),
	routerImage: image("haproxy:3.2.4").optional(),
	serviceImage: image("counting-api:{release}").optional(),
	...awsFields,
	migrationsDirectory: pathInProject().default("migrations"),
	allowOutOfOrder: flag().default(false),
	serviceEntry: pathInProject().default("service/main.ts"),
	schemaCompatibility: oneOf(["same-major", "any-newer"]).default("same-major"),
	startTimeoutSeconds: seconds(5, 3600).default(60),
	readyTimeoutSeconds: seconds(1, 3600).optional(),
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
	serverPerColor: flag().optional(),
	keptWalGigabytes: wholeNumber(1, 65_536, "gigabytes").optional(),
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
	passwordGeneration: wholeNumber(1, 999_999).default(1),
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
