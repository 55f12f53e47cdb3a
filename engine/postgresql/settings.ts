import { z } from "zod";
import type { Connection } from "../../components/database/connection";
import { type CheckFailure, containsUnknown, type Properties, UNKNOWN } from "../provider";

/** A configured provider: which server, as whom, and how. */
export interface Settings {
	connection: Connection;
	/** Whether the user may be taken for a superuser, and so may read password hashes. */
	superuser: boolean;
	connectTimeoutMs: number;
	maxConnections: number;
}

const CLI = "is not supported by the embedded engine: install the Pulumi CLI";
const LONGEST_CONNECT_SECONDS = 180;
const DEFAULT_CONNECTIONS = 20;

const unsupported = z.never({ error: CLI }).optional();
const onlyFalse = z.literal(false, { error: CLI }).optional();
const whole = z.int({ error: "must be a whole number" });
const sslMode = z
	.enum(["disable", "require", "verify-full"], {
		error: "must be disable, require or verify-full (for other modes install the Pulumi CLI)",
	})
	.optional();

const inputsSchema = z.strictObject({
	scheme: z.literal("postgres", { error: `must be postgres; any other ${CLI}` }).optional(),
	host: z.string().min(1).optional(),
	port: whole.min(1).max(65535).optional(),
	database: z.string().min(1).optional(),
	username: z.string().min(1).optional(),
	password: z.string().optional(),
	databaseUsername: z.string().optional(),
	superuser: z.boolean({ error: "must be true or false" }).optional(),
	sslmode: sslMode,
	/** The deprecated spelling. */
	sslMode: sslMode,
	connectTimeout: whole.min(-1).optional(),
	maxConnections: whole.min(-1).optional(),
	expectedVersion: z.string().optional(),
	awsRdsIamAuth: onlyFalse,
	awsRdsIamProfile: unsupported,
	awsRdsIamProviderRoleArn: unsupported,
	awsRdsIamRegion: unsupported,
	azureIdentityAuth: onlyFalse,
	azureTenantId: unsupported,
	clientcert: unsupported,
	gcpIamImpersonateServiceAccount: unsupported,
	sslrootcert: unsupported,
});

type Inputs = z.infer<typeof inputsSchema>;

const ENCODED = new Set([
	"port",
	"superuser",
	"connectTimeout",
	"maxConnections",
	"awsRdsIamAuth",
	"azureIdentityAuth",
	"clientcert",
]);

/** Everything that is wrong with the provider's inputs; what is not known yet is not looked at. */
export function checkSettings(inputs: Properties): CheckFailure[] {
	const parsed = inputsSchema.safeParse(decode(inputs));
	return parsed.success ? [] : failures(parsed.error);
}

/**
 * @returns undefined when something needed for connecting is not known yet.
 * @throws Error naming every wrong setting.
 */
export function parseSettings(inputs: Properties): Settings | undefined {
	if (containsUnknown(inputs)) {
		return undefined;
	}
	const parsed = inputsSchema.safeParse(decode(inputs));
	if (!parsed.success) {
		throw new Error(
			`the postgresql provider: ${failures(parsed.error)
				.map(({ reason }) => reason)
				.join("; ")}`,
		);
	}
	return withEnvironment(parsed.data);
}

/** Numbers, flags and objects of a provider arrive as JSON texts. */
function decode(inputs: Properties): Properties {
	const decoded: Properties = {};
	for (const [name, value] of Object.entries(inputs)) {
		if (name.startsWith("__") || name === "version" || name === "pluginDownloadURL") {
			continue;
		}
		if (value !== null && value !== UNKNOWN) {
			decoded[name] = ENCODED.has(name) && typeof value === "string" ? fromJson(value) : value;
		}
	}
	return decoded;
}

function fromJson(text: string): Properties[string] {
	try {
		return JSON.parse(text);
	} catch {
		// Not JSON: the text itself is then refused for not being what the setting needs.
		return text;
	}
}

function failures(error: z.ZodError): CheckFailure[] {
	return error.issues.flatMap((issue) => {
		const names = issue.code === "unrecognized_keys" ? issue.keys : [String(issue.path[0])];
		const reason = issue.code === "unrecognized_keys" ? "is not a setting of the provider" : issue.message;
		return names.map((property) => ({ property, reason: `\`${property}\` ${reason}` }));
	});
}

/** What the inputs leave open comes from the environment variables that libpq knows, then from its defaults. */
function withEnvironment(inputs: Inputs): Settings {
	const environment = (name: string) => process.env[name] || undefined;
	const mode = inputs.sslmode ?? inputs.sslMode ?? sslMode.parse(environment("PGSSLMODE"));
	const port =
		inputs.port ??
		whole
			.min(1)
			.max(65535)
			.parse(Number(environment("PGPORT") ?? 5432));
	const superuser = inputs.superuser ?? environment("PGSUPERUSER") !== "false";
	return {
		connection: {
			host: inputs.host ?? environment("PGHOST") ?? "localhost",
			port,
			database: inputs.database ?? environment("PGDATABASE") ?? "postgres",
			user: inputs.username ?? environment("PGUSER") ?? "postgres",
			password: inputs.password ?? environment("PGPASSWORD") ?? "",
			sslMode: mode ?? "require",
		},
		superuser,
		connectTimeoutMs: (inputs.connectTimeout || LONGEST_CONNECT_SECONDS) * 1000,
		maxConnections: inputs.maxConnections ?? DEFAULT_CONNECTIONS,
	};
}
