/** Runs the Pulumi program with the SDK's own runner. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { Child, splitArguments } from "./childProcess";
import type { Setting } from "./config";
import { EngineError } from "./errors";
import type { Project, StackName } from "./project";

export interface ProgramOptions {
	project: Project;
	stack: StackName;
	settings: Setting[];
	/** `127.0.0.1:<port>` of the engine's services. */
	address: string;
	preview: boolean;
	parallel: number;
	env: NodeJS.ProcessEnv;
	onLine(line: string): void;
}

/** Finds a module of the program's own Pulumi SDK. */
export function resolveSdk(project: Project, module: string): string {
	try {
		return createRequire(join(project.programDirectory, "index.js")).resolve(`@pulumi/pulumi/${module}`);
	} catch {
		throw new EngineError(
			`It looks like the Pulumi SDK has not been installed: there is no @pulumi/pulumi to be found from ` +
				`${project.programDirectory}. Run npm install there.`,
		);
	}
}

export function startProgram(options: ProgramOptions): Child {
	const { project, stack } = options;
	const config: { [key: string]: string } = {};
	for (const { key, value } of options.settings) config[key.replace(":", ":config:")] = value;
	const secretKeys = options.settings.filter(({ secret }) => secret).map(({ key }) => key);
	const env: NodeJS.ProcessEnv = {
		...options.env,
		PULUMI_CONFIG: JSON.stringify(config),
		PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
	};
	if (project.options.typescript) env.PULUMI_NODEJS_TYPESCRIPT = "true";
	if (project.options.tsconfig !== undefined) env.PULUMI_NODEJS_TSCONFIG_PATH = project.options.tsconfig;
	const flags: [string, string][] = [
		["monitor", options.address],
		["engine", options.address],
		["organization", "organization"],
		["project", project.name],
		["root-directory", project.root],
		["stack", stack.stack],
		["pwd", project.programDirectory],
		["parallel", String(options.parallel)],
	];
	return new Child({
		nodeArguments: splitArguments(project.options.nodeargs),
		script: resolveSdk(project, "cmd/run"),
		arguments: [
			...flags.flatMap(([name, value]) => [`--${name}`, value]),
			...(options.preview ? ["--dry-run"] : []),
			project.entryPoint,
		],
		cwd: project.programDirectory,
		env,
		onLine: options.onLine,
	});
}
