/** `Pulumi.yaml`, and where the project and its selected stack are kept. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { EngineError, EXIT, messageOf } from "./errors";
import { readJson, writeAtomically } from "./files";

const RuntimeOptions = z.object({
	typescript: z.boolean().default(true),
	nodeargs: z.string().default(""),
	tsconfig: z.string().optional(),
});

const ProjectFile = z.object({
	name: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/, "a project name has letters, digits, - _ and . only"),
	main: z.string().optional(),
	runtime: z.union([
		z.string().transform((name) => ({ name, options: RuntimeOptions.parse({}) })),
		z.object({ name: z.string(), options: RuntimeOptions.default(RuntimeOptions.parse({})) }),
	]),
	stackConfigDir: z.string().optional(),
	config: z.unknown().optional(),
	backend: z.object({ url: z.string().optional() }).nullish(),
});

export interface Project {
	name: string;
	/** The directory of `Pulumi.yaml`. */
	root: string;
	file: string;
	/** The directory that the program runs in. */
	programDirectory: string;
	/** What to run, relative to the program's directory. */
	entryPoint: string;
	options: z.infer<typeof RuntimeOptions>;
	backendUrl?: string;
	configDirectory: string;
}

/**
 * Finds and reads the project of a directory, looking upwards from it.
 * @throws EngineError when there is none, it is not well-formed, or it is not a Node.js project.
 */
export function loadProject(cwd: string): Project {
	let root = resolve(cwd);
	let file = "";
	for (;;) {
		const found = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].find((name) => existsSync(join(root, name)));
		if (found !== undefined) {
			file = join(root, found);
			break;
		}
		const parent = dirname(root);
		if (parent === root) {
			throw new EngineError(
				"no Pulumi.yaml project file found (searching upwards from " +
					`${resolve(cwd)}). If you have not created a project yet, use \`pulumi new\` to do so`,
			);
		}
		root = parent;
	}
	return readProject(root, file);
}

function readProject(root: string, file: string): Project {
	let content: unknown;
	try {
		content = parse(readFileSync(file, "utf8"));
	} catch (error) {
		throw new EngineError(`could not read ${file}: ${messageOf(error)}`);
	}
	const result = ProjectFile.safeParse(content);
	if (!result.success)
		throw new EngineError(`${file} is not a valid project file:\n${z.prettifyError(result.error)}`);
	const { name, main, runtime, stackConfigDir, backend, config } = result.data;
	if (runtime.name !== "nodejs") {
		throw new EngineError(
			`${file}: the embedded engine runs nodejs programs only, not ${runtime.name}; install the Pulumi CLI`,
		);
	}
	const mainPath = main === undefined ? root : resolve(root, main);
	const isDirectory = !/\.[cm]?[jt]sx?$/.test(mainPath);
	return {
		name,
		root,
		file,
		programDirectory: isDirectory ? mainPath : dirname(mainPath),
		entryPoint: isDirectory ? "." : mainPath.slice(dirname(mainPath).length + 1),
		options: runtime.options,
		backendUrl: backend?.url,
		configDirectory: resolve(root, stackConfigDir ?? (typeof config === "string" ? config : ".")),
	};
}

/** `PULUMI_HOME`, or `~/.pulumi`. */
export function pulumiHome(env: NodeJS.ProcessEnv): string {
	return env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi");
}

function workspaceFile(project: Project, env: NodeJS.ProcessEnv): string {
	const path = createHash("sha1").update(project.file).digest("hex");
	return join(pulumiHome(env), "workspaces", `${project.name}-${path}-workspace.json`);
}

const Workspace = z.looseObject({
	stack: z.string().optional(),
	stacks: z.record(z.string(), z.string()).optional(),
});

/** The stack that was selected for a project and a backend, if any. */
export function selectedStack(
	project: Project,
	backendUrl: string,
	env: NodeJS.ProcessEnv,
): string | undefined {
	const workspace = Workspace.safeParse(readJson(workspaceFile(project, env)) ?? {});
	if (!workspace.success) return undefined;
	return workspace.data.stacks?.[backendUrl] ?? workspace.data.stack;
}

/** Remembers, or forgets, the selected stack. */
export function selectStack(
	project: Project,
	backendUrl: string,
	env: NodeJS.ProcessEnv,
	stack: string | undefined,
): void {
	const file = workspaceFile(project, env);
	const workspace = Workspace.safeParse(readJson(file) ?? {});
	const data = workspace.success ? workspace.data : {};
	const stacks = { ...data.stacks };
	delete stacks[backendUrl];
	if (stack !== undefined) stacks[backendUrl] = stack;
	delete data.stack;
	mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
	writeAtomically(file, `${JSON.stringify({ ...data, stacks }, null, 4)}\n`);
}

/** The project's name in a fully qualified stack name, or the project's own. */
export interface StackName {
	project: string;
	stack: string;
}

/**
 * Reads `stack`, `organization/stack` or `organization/project/stack`.
 * @throws EngineError for any other form.
 */
export function parseStackName(name: string, project: string | undefined): StackName {
	const parts = name.split("/");
	const stack = parts.at(-1) ?? "";
	if (parts.length > 3) throw new EngineError(`could not parse stack name '${name}'`, EXIT.configuration);
	if (parts.length > 1 && parts[0] !== "organization") {
		throw new EngineError("organization name must be 'organization'");
	}
	if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack)) {
		throw new EngineError(
			stack === ""
				? "stack name must not be empty"
				: "a stack name may only contain alphanumeric, hyphens, underscores, or periods",
		);
	}
	const owner = parts.length === 3 ? parts[1] : project;
	if (owner === undefined || owner === "") {
		throw new EngineError("no Pulumi.yaml project file found; pass the stack as organization/project/stack");
	}
	return { project: owner, stack };
}
