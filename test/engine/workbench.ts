import { type ChildProcessByStdio, spawn } from "node:child_process";
import {
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { main } from "../../engine/cli";
import type { ProviderFactories } from "../../engine/providers";

const repository = join(__dirname, "..", "..");

/** One entry of `scene.json`; see `scene/index.cjs`. */
export interface SceneEntry {
	thing?: string;
	component?: string;
	provider?: string;
	reference?: string;
	external?: string;
	type?: string;
	stack?: string;
	inputs?: { [key: string]: unknown };
	options?: { [key: string]: unknown };
	outputs?: { [key: string]: unknown };
}

export interface Scene {
	resources: SceneEntry[];
	outputs?: { [key: string]: unknown };
	say?: string[];
	exit?: number;
	reject?: string;
}

/** A resource as the state file has it. */
export interface StateResource {
	urn: string;
	id?: string;
	type: string;
	inputs?: { [key: string]: unknown };
	outputs?: { [key: string]: unknown };
	parent?: string;
	provider?: string;
	[field: string]: unknown;
}

export interface State {
	resources: StateResource[];
	pending_operations?: { type: string; resource: StateResource }[];
	manifest: { time: string; version: string };
	secrets_providers: { state: { salt: string } };
}

export interface Result {
	code: number;
	stdout: string;
	stderr: string;
}

export const PASSPHRASE = "correct horse";

/** A project with the scene program and a backend of its own, in a folder that goes with it. */
export class Workbench {
	readonly directory = mkdtempSync(join(tmpdir(), "engine-"));
	readonly project = join(this.directory, "project");
	readonly backend = join(this.directory, "backend");
	readonly env: NodeJS.ProcessEnv;

	constructor(private readonly providers?: ProviderFactories) {
		mkdirSync(this.project);
		mkdirSync(this.backend);
		symlinkSync(join(repository, "node_modules"), join(this.project, "node_modules"));
		copyFileSync(join(__dirname, "scene", "index.cjs"), join(this.project, "index.cjs"));
		writeFileSync(join(this.project, "package.json"), "{}");
		this.writeProject("");
		this.env = {
			PATH: process.env.PATH,
			HOME: this.directory,
			PULUMI_HOME: join(this.directory, "home"),
			PULUMI_BACKEND_URL: `file://${this.backend}`,
			PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
			PULUMI_SKIP_UPDATE_CHECK: "true",
			PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
		};
	}

	writeProject(nodeargs: string, entry = "index.cjs"): void {
		const options = { typescript: false, ...(nodeargs === "" ? {} : { nodeargs }) };
		const content = { name: "scene", main: entry, runtime: { name: "nodejs", options } };
		writeFileSync(join(this.project, "Pulumi.yaml"), JSON.stringify(content));
	}

	scene(resources: SceneEntry[], more: Omit<Scene, "resources"> = {}): void {
		writeFileSync(join(this.project, "scene.json"), JSON.stringify({ resources, ...more }));
	}

	file(name: string): string {
		return join(this.project, name);
	}

	/** Runs the embedded engine in this process. */
	async run(...argv: string[]): Promise<Result> {
		const out = new PassThrough();
		const err = new PassThrough();
		const texts = { stdout: "", stderr: "" };
		out.setEncoding("utf8").on("data", (text: string) => {
			texts.stdout += text;
		});
		err.setEncoding("utf8").on("data", (text: string) => {
			texts.stderr += text;
		});
		const io = { cwd: this.project, env: this.env, stdout: out, stderr: err, stdin: new PassThrough().end() };
		const code = await main(argv, io, this.providers);
		return { code, ...texts };
	}

	/** As `run`, for a command that has to succeed. */
	async done(...argv: string[]): Promise<Result> {
		const result = await this.run(...argv);
		if (result.code !== 0)
			throw new Error(`pulumi ${argv.join(" ")}: ${result.code}\n${result.stdout}${result.stderr}`);
		return result;
	}

	up(...flags: string[]): Promise<Result> {
		return this.run("up", "--yes", "--skip-preview", ...flags);
	}

	/** Starts the embedded engine in a process of its own. */
	start(...argv: string[]): ChildProcessByStdio<null, Readable, Readable> {
		const script = join(repository, "engine", "main.ts");
		const tsx = join(repository, "node_modules", "tsx", "dist", "cjs", "index.cjs");
		return spawn(process.execPath, ["--require", tsx, script, ...argv], {
			cwd: this.project,
			env: this.env,
			stdio: ["ignore", "pipe", "pipe"],
		});
	}

	/** Runs a program, such as the Pulumi CLI, in the project. */
	async command(program: string, argv: string[]): Promise<Result> {
		const child = spawn(program, argv, {
			cwd: this.project,
			env: this.env,
			stdio: ["ignore", "pipe", "pipe"],
		});
		const result = { stdout: "", stderr: "" };
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			result.stdout += text;
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			result.stderr += text;
		});
		const code = await new Promise<number>((resolve, reject) => {
			child.once("error", reject);
			child.once("close", (status) => resolve(status ?? -1));
		});
		return { code, ...result };
	}

	stateFile(stack = "dev"): string {
		return join(this.backend, ".pulumi", "stacks", "scene", `${stack}.json`);
	}

	state(stack = "dev"): State {
		const content = JSON.parse(readFileSync(this.stateFile(stack), "utf8"));
		return { resources: [], ...content.checkpoint.latest };
	}

	/** A resource of the state by its name. */
	resource(name: string, stack = "dev"): StateResource {
		const found = this.state(stack).resources.filter(({ urn }) => urn.endsWith(`::${name}`));
		if (found.length !== 1) throw new Error(`${found.length} resources are called ${name}`);
		return found[0]!;
	}

	/** Names of the things in the state, in order. */
	things(): string[] {
		return this.state()
			.resources.filter(({ type }) => type === "pulumi-nodejs:dynamic/scene:Thing")
			.map(({ urn }) => urn.split("::").at(-1)!);
	}

	/** What was done to the things since the last call, in order. */
	calls(): string[] {
		const log = this.file("calls.log");
		let text = "";
		try {
			text = readFileSync(log, "utf8");
		} catch (error) {
			if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
		}
		rmSync(log, { force: true });
		return text.split("\n").filter((line) => line !== "");
	}

	/** The last record of the history. */
	lastUpdate(stack = "dev"): { [field: string]: unknown } {
		const directory = join(this.backend, ".pulumi", "history", "scene", stack);
		const name = readdirSync(directory)
			.filter((entry) => entry.endsWith(".history.json"))
			.sort()
			.at(-1);
		return JSON.parse(readFileSync(join(directory, name!), "utf8"));
	}

	remove(): void {
		rmSync(this.directory, { recursive: true, force: true });
	}
}
