import { delimiter, dirname, resolve } from "node:path";
import type { Connection } from "../database/connection";

const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];
/** What of the operator's shell a stage gets: but for a proxy's password nothing that could be a secret. */
const PASSED_ON = ["HOME", "TMPDIR", "LANG", "NO_PROXY", "no_proxy", ...PROXIES];

/** The passwords of the proxies that a stage is told of, as they stand in their addresses and as they are. */
export function proxyPasswords(shell: NodeJS.ProcessEnv): string[] {
	const passwords = PROXIES.flatMap((key) => /^[^/]*\/\/[^/@:]*:([^@]*)@/.exec(shell[key] ?? "")?.[1] ?? []);
	return [...new Set(passwords.flatMap((password) => [password, decoded(password)]))].filter(Boolean);
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		// No percent-encoding: it is as it stands.
		return text;
	}
}

export interface StageSurroundings {
	name: string;
	environment: string;
	strategy: string;
	release: string;
	/** The service's address; a stage before the service has none. */
	url?: string;
	/** Whether the application may write into the database. */
	writes: "served" | "refused";
	/** The release's database as its owner. */
	owner: Connection;
	/** As the role of the service. */
	application: Connection;
	/** The settings of the update. */
	settings: Record<string, unknown>;
}

/**
 * The environment variables of a stage. Its connection is that of the owner, whom the write fence lets through, and is
 * read-only until a transaction says otherwise: a write that nobody has thought about fails.
 */
export function stageEnvironment(stage: StageSurroundings, shell: NodeJS.ProcessEnv): Record<string, string> {
	const { name, environment, strategy, release, url, writes, owner, application, settings } = stage;
	return {
		...Object.fromEntries(PASSED_ON.flatMap((key) => (shell[key] === undefined ? [] : [[key, shell[key]]]))),
		// The same Node as the deployment's, whatever else is on the path.
		PATH: [dirname(process.execPath), shell.PATH].filter(Boolean).join(delimiter),
		STAGE_NAME: name,
		STAGE_ENVIRONMENT: environment,
		STAGE_STRATEGY: strategy,
		STAGE_RELEASE: release,
		STAGE_WRITES: writes,
		STAGE_SETTINGS: JSON.stringify(settings),
		...(url !== undefined && { COLOR_URL: url }),
		PGHOST: owner.host,
		PGPORT: String(owner.port),
		PGDATABASE: owner.database,
		PGUSER: owner.user,
		PGPASSWORD: owner.password,
		PGSSLMODE: owner.sslMode,
		...(owner.sslRootCert !== undefined && { PGSSLROOTCERT: resolve(owner.sslRootCert) }),
		PGAPPNAME: "deployment-stage",
		PGCONNECT_TIMEOUT: "10",
		PGOPTIONS: "-c default_transaction_read_only=on -c client_connection_check_interval=200ms",
		APPLICATION_PGUSER: application.user,
		APPLICATION_PGPASSWORD: application.password,
	};
}
