import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Writable } from "node:stream";
import { removeServer } from "../components/database/local/server";
import { localNames } from "../components/release/names";
import { projectDirectory } from "./project";
import { isFileBackend, stackEnvironment, stackOf } from "./stack-environment";
import { isYetToBeMade, overlayArguments } from "./stack-file";

export type Engine = { kind: "cli"; program: string } | { kind: "embedded" };

export interface RunOptions {
	/** Given each piece of output instead of the terminal. */
	capture?: (text: string) => void;
	/** Given each piece of what is said of errors instead of the terminal. */
	captureErrors?: (text: string) => void;
}

/** Where `npm run setup` puts the Pulumi CLI. */
export const installedCli = join(projectDirectory, ".local", "cli");

/**
 * The engine that updates run on: the Pulumi CLI on PATH or installed by `npm run setup`, else the embedded one.
 *
 * @throws Error when `DEPLOY_ENGINE` asks for one that is not there
 */
export function chooseEngine(environment: NodeJS.ProcessEnv = process.env): Engine {
	const wanted = environment.DEPLOY_ENGINE;
	if (wanted !== undefined && wanted !== "cli" && wanted !== "embedded") {
		throw new Error(`DEPLOY_ENGINE: found ${JSON.stringify(wanted)}; allowed: cli, embedded, or unset`);
	}
	const program = wanted === "embedded" ? undefined : findCli(environment.PATH ?? "");
	if (program !== undefined) {
		return { kind: "cli", program };
	}
	if (wanted === "cli") {
		throw new Error(
			"DEPLOY_ENGINE is cli, but there is no `pulumi` on PATH: install it, or run npm run setup",
		);
	}
	return { kind: "embedded" };
}

function findCli(path: string): string | undefined {
	const folders = [...path.split(delimiter).filter((folder) => folder !== ""), join(installedCli, "bin")];
	// npm puts node_modules/.bin on PATH; what is called pulumi there is not the CLI.
	return folders
		.filter((folder) => !folder.includes("node_modules"))
		.map((folder) => join(folder, "pulumi"))
		.find(isExecutable);
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** Verbs that run the program, during which the operator wants to know which engine does it. */
const PROGRAM_VERBS = new Set(["up", "update", "preview", "pre", "refresh", "destroy"]);

/** Verbs that make a stack whose file is there, as a fresh clone has it, without asking. */
const MAKING_VERBS = new Set(["up", "update", "preview", "pre", "config set", "config set-all"]);

/** Runs one Pulumi command on the project. Returns its exit code. */
export async function runPulumi(args: string[], options: RunOptions = {}): Promise<number> {
	const code = await runOn(chooseEngine(), args, options);
	const stack = stackOf(args, process.env);
	if (code === 0 && args[0] === "destroy" && stack !== undefined && !args.some(isPartial)) {
		// What an update that was killed had started before it could write that down is not in the state.
		await removeServer(join(projectDirectory, localNames(stack).directory), LEFTOVER_TIMEOUT_SECONDS);
	}
	return code;
}

const LEFTOVER_TIMEOUT_SECONDS = 30;

/** Arguments with which a destroy leaves something standing, or does nothing at all. */
function isPartial(arg: string): boolean {
	return /^(--target|-t|--exclude|-x|--preview-only)/.test(arg);
}

async function runOn(engine: Engine, args: string[], options: RunOptions): Promise<number> {
	const environment = stackEnvironment(args);
	const stack = stackOf(args, environment);
	const makes = [1, 2].some((words) => MAKING_VERBS.has(args.slice(0, words).join(" ")));
	if (makes && stack !== undefined && isYetToBeMade(stack, environment)) {
		const made = await runEmbedded(["stack", "init", stack, "--non-interactive"], environment, options);
		if (made !== 0) {
			return made;
		}
	}
	if (engine.kind === "embedded") {
		if (PROGRAM_VERBS.has(args[0] ?? "")) {
			console.error(
				"No Pulumi CLI is used: the embedded engine runs the program (npm run setup installs the CLI).",
			);
		}
		return runEmbedded(args, environment, options);
	}
	// The CLI would write its salt into the committed stack file; the embedded engine keeps it in the state.
	if (args[0] === "stack" && args[1] === "init" && isFileBackend(environment)) {
		return runEmbedded(args, environment, options);
	}
	const overlay = PROGRAM_VERBS.has(args[0] ?? "") ? overlayArguments(args, environment) : [];
	return start(
		engine.program,
		[...args, ...overlay],
		{ ...environment, PULUMI_SKIP_UPDATE_CHECK: "true" },
		options,
	);
}

function runEmbedded(
	args: string[],
	env: NodeJS.ProcessEnv,
	{ capture, captureErrors }: RunOptions,
): Promise<number> {
	// Loaded only here: it takes a quarter of a second, which commands on the CLI need not wait for.
	const { main } = require("../engine/cli") as typeof import("../engine/cli");
	return main(args, {
		cwd: projectDirectory,
		env,
		stdout: capture ? collector(capture) : process.stdout,
		stderr: captureErrors ? collector(captureErrors) : process.stderr,
		stdin: process.stdin,
	});
}

function collector(capture: (text: string) => void): Writable {
	return new Writable({
		decodeStrings: false,
		write(text: string | Buffer, _encoding, done) {
			capture(String(text));
			done();
		},
	});
}

/** A child gets the terminal's interrupt itself, ends its work and answers with its exit code. */
function start(
	program: string,
	args: string[],
	environment: NodeJS.ProcessEnv,
	{ capture, captureErrors }: RunOptions,
): Promise<number> {
	const child = spawn(program, args, {
		cwd: projectDirectory,
		env: environment,
		stdio: ["inherit", capture ? "pipe" : "inherit", captureErrors ? "pipe" : "inherit"],
	});
	child.stdout?.setEncoding("utf8").on("data", (text: string) => capture?.(text));
	child.stderr?.setEncoding("utf8").on("data", (text: string) => captureErrors?.(text));
	const wait = () => {};
	process.on("SIGINT", wait);
	const forward = () => child.kill("SIGTERM");
	process.on("SIGTERM", forward);
	return new Promise<number>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code) => resolve(code ?? 1));
	}).finally(() => {
		process.off("SIGINT", wait);
		process.off("SIGTERM", forward);
	});
}
