import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readJsonFile, readTextFile, writeFileAtomically } from "../components/local/files";
import { projectDirectory, projectName } from "./project";
import { isFileBackend, stackOf } from "./stack-environment";

/**
 * Arguments that let the CLI read a copy of the stack file which also has the salt of the stack's secrets. Without
 * it the CLI would make a salt of its own and write it into the committed file.
 */
export function overlayArguments(args: string[], environment: NodeJS.ProcessEnv): string[] {
	const stack = stackOf(args, environment);
	const asked = args.some((arg) => arg === "--config-file" || arg.startsWith("--config-file="));
	if (stack === undefined || asked || !isFileBackend(environment)) {
		return [];
	}
	const name = `Pulumi.${stack}.yaml`;
	const committed = readTextFile(join(projectDirectory, name));
	const salt = saltOf(stack, environment);
	if (committed === undefined || salt === undefined || /^encryptionsalt:/m.test(committed)) {
		return [];
	}
	const copy = join(projectDirectory, ".local", "stack-files", name);
	writeFileAtomically(copy, `${committed.trimEnd()}\nencryptionsalt: ${salt}\n`, 0o600);
	return ["--config-file", copy];
}

/** Whether a stack that has a committed stack file was never made in the folder that keeps the states. */
export function isYetToBeMade(stack: string, environment: NodeJS.ProcessEnv): boolean {
	return (
		isFileBackend(environment) &&
		existsSync(join(projectDirectory, `Pulumi.${stack}.yaml`)) &&
		!existsSync(stateFile(stack, environment))
	);
}

const stateSchema = z.object({
	checkpoint: z.object({
		latest: z
			.object({
				secrets_providers: z.object({ state: z.object({ salt: z.string() }).optional() }).optional(),
			})
			.nullish(),
	}),
});

function saltOf(stack: string, environment: NodeJS.ProcessEnv): string | undefined {
	return readJsonFile(stateFile(stack, environment), stateSchema)?.checkpoint.latest?.secrets_providers?.state
		?.salt;
}

function stateFile(stack: string, environment: NodeJS.ProcessEnv): string {
	const folder = backendFolder(environment.PULUMI_BACKEND_URL ?? "");
	return join(folder, ".pulumi", "stacks", projectName, `${stack}.json`);
}

function backendFolder(url: string): string {
	const path = url.slice("file://".length);
	return path.startsWith("/") ? fileURLToPath(url) : join(projectDirectory, path);
}
