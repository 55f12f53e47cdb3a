import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { explainWriteError, makeDirectory, readTextFile } from "../components/local/files";
import { projectDirectory, projectName } from "./project";

const PASSPHRASE_BYTES = 32;

/** The stack that a command names with `-s`, `--stack` or PULUMI_STACK. */
export function stackOf(args: string[], environment: NodeJS.ProcessEnv): string | undefined {
	for (const [index, arg] of args.entries()) {
		if (arg === "-s" || arg === "--stack") {
			return args[index + 1];
		}
		const [, joined] = /^(?:--stack=|-s=?)(.+)$/.exec(arg) ?? [];
		if (joined !== undefined) {
			return joined;
		}
	}
	// An empty one selects none, as for the CLI.
	return environment.PULUMI_STACK || undefined;
}

/**
 * The environment of an engine: what the operator set, and for the rest a state kept in `.local/state` and, for
 * stacks of platform `local`, a passphrase generated once into `.local/passphrase`. An empty passphrase is none.
 */
export function stackEnvironment(args: string[], given: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
	const environment = { ...given };
	for (const name of ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"]) {
		// What a workflow has of a secret that is not set. As a passphrase it would protect nothing.
		if (environment[name] === "") {
			delete environment[name];
		}
	}
	if (!environment.PULUMI_BACKEND_URL) {
		const state = join(projectDirectory, ".local", "state");
		// Open to enter, for PostgreSQL's own account when root deploys; what is secret in it is closed by itself.
		makeDirectory(join(projectDirectory, ".local"));
		makeDirectory(state, 0o700);
		environment.PULUMI_BACKEND_URL = pathToFileURL(state).href;
	}
	const hasPassphrase =
		environment.PULUMI_CONFIG_PASSPHRASE !== undefined ||
		environment.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
	if (!hasPassphrase && isLocal(stackOf(args, environment))) {
		environment.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile();
	}
	return environment;
}

/** Whether the state is kept in a folder, whose formats both engines share. */
export function isFileBackend(environment: NodeJS.ProcessEnv): boolean {
	return environment.PULUMI_BACKEND_URL?.startsWith("file://") ?? false;
}

const stackFileSchema = z.object({ config: z.record(z.string(), z.unknown()).optional() });

/** A stack of another platform keeps its secrets under a passphrase that its team shares, not under this clone's own. */
function isLocal(stack: string | undefined): boolean {
	const text = stack === undefined ? undefined : readTextFile(join(projectDirectory, `Pulumi.${stack}.yaml`));
	if (text === undefined) {
		return true;
	}
	const parsed = stackFileSchema.safeParse(parse(text));
	return parsed.data?.config?.[`${projectName}:platform`] === "local";
}

function passphraseFile(): string {
	const file = join(projectDirectory, ".local", "passphrase");
	if (!existsSync(file)) {
		makeDirectory(join(projectDirectory, ".local"));
		try {
			writeFileSync(file, randomBytes(PASSPHRASE_BYTES).toString("base64url"), { mode: 0o600, flag: "wx" });
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
				throw explainWriteError(error, file);
			}
		}
	}
	return file;
}
