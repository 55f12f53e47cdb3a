/** One run of the command line: its project, backend and stack. */
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { ParsedArguments } from "./arguments";
import { type Backend, openBackend } from "./backend";
import { type Checkpoint, readSnapshot, type Snapshot } from "./checkpoint";
import { type Setting, StackConfig } from "./config";
import { EngineError, EXIT } from "./errors";
import { loadProject, type Project, parseStackName, type StackName, selectedStack } from "./project";
import type { ProviderFactories } from "./providers";
import {
	type Crypter,
	type Decrypter,
	eliding,
	newCrypter,
	openCrypter,
	passphraseFrom,
	WrongPassphrase,
} from "./secrets";
import { ROOT_STACK_TYPE } from "./urn";
import { type PropertyMap, withoutCiphertexts } from "./values";

/** Where the engine runs, as its caller sees it. */
export interface EngineIo {
	cwd: string;
	env: NodeJS.ProcessEnv;
	stdout: Writable & { isTTY?: boolean };
	stderr: Writable;
	stdin: Readable & { isTTY?: boolean };
}

/** A stack with what is needed to read its secrets. */
export interface OpenStack {
	name: StackName;
	checkpoint: Checkpoint;
	config: StackConfig;
	/** For the state. */
	crypter: Crypter;
	/** For the stack file. */
	configCrypter: Crypter;
	settings: Setting[];
}

export class Session {
	readonly cwd: string;
	private loadedProject: Project | undefined;
	private loadedBackend: Backend | undefined;

	constructor(
		readonly io: EngineIo,
		readonly args: ParsedArguments,
		readonly factories: ProviderFactories,
	) {
		this.cwd = resolve(io.cwd, args.texts.get("cwd") ?? ".");
	}

	get interactive(): boolean {
		return (
			!this.args.switches.has("non-interactive") &&
			this.io.stdin.isTTY === true &&
			this.io.stdout.isTTY === true
		);
	}

	get project(): Project {
		this.loadedProject ??= loadProject(this.cwd);
		return this.loadedProject;
	}

	get backend(): Backend {
		this.loadedBackend ??= openBackend(this.io.env, this.cwd, this.project);
		return this.loadedBackend;
	}

	print(text: string): void {
		this.io.stdout.write(`${text}\n`);
	}

	warn(text: string): void {
		this.io.stderr.write(`warning: ${text}\n`);
	}

	/**
	 * The stack that the command is about: `--stack`, `PULUMI_STACK`, or the selected one.
	 * @throws EngineError when there is none, or it does not exist.
	 */
	stackName(given = this.args.texts.get("stack")): StackName {
		const name =
			given ?? (this.io.env.PULUMI_STACK || selectedStack(this.project, this.backend.url, this.io.env));
		if (name === undefined || name === "") {
			throw new EngineError(
				"no stack selected; please use `pulumi stack select` or `pulumi stack init` to choose one",
				EXIT.stackNotFound,
			);
		}
		const parsed = parseStackName(name, this.project.name);
		if (!this.backend.exists(parsed)) {
			throw new EngineError(`no stack named '${parsed.stack}' found`, EXIT.stackNotFound);
		}
		return parsed;
	}

	config(name: StackName): StackConfig {
		const file = this.args.texts.get("config-file");
		return StackConfig.load(
			this.project,
			name.stack,
			file === undefined ? undefined : resolve(this.cwd, file),
		);
	}

	/** The crypter for a salt line, or one with a new salt. */
	crypter(salt: string | undefined): Promise<Crypter> {
		const passphrase = passphraseFrom(this.io.env, this.cwd);
		return salt === undefined ? newCrypter(passphrase) : openCrypter(passphrase, salt);
	}

	/** @throws EngineError `incorrect passphrase`, before anything else is done. */
	async open(name: StackName): Promise<OpenStack> {
		const checkpoint = this.backend.load(name);
		const config = this.config(name);
		const crypter = await this.crypter(checkpoint.salt ?? config.salt);
		const configCrypter = config.salt === undefined ? crypter : await this.crypter(config.salt);
		const settings = config.settings(configCrypter);
		return { name, checkpoint, config, crypter, configCrypter, settings };
	}

	snapshot(stack: OpenStack): Snapshot {
		return readSnapshot(stack.checkpoint, stack.crypter);
	}

	/**
	 * The outputs of a stack of this backend by its name, secrets decrypted; empty where its passphrase is another one.
	 * @throws EngineError when there is no such stack.
	 */
	async outputsOf(name: string): Promise<PropertyMap> {
		const parsed = parseStackName(name, this.project.name);
		if (!this.backend.exists(parsed)) throw new EngineError(`unknown stack "${name}"`);
		const checkpoint = this.backend.load(parsed);
		const crypter =
			checkpoint.salt === undefined
				? undefined
				: await this.crypter(checkpoint.salt).catch((error: unknown): Decrypter => {
						if (error instanceof WrongPassphrase) {
							return eliding;
						}
						throw error;
					});
		return withoutCiphertexts(stackOutputs(readSnapshot(checkpoint, crypter)));
	}
}

export function stackOutputs(snapshot: Snapshot): PropertyMap {
	return (
		snapshot.resources.find(({ type, parent }) => type === ROOT_STACK_TYPE && parent === "")?.outputs ?? {}
	);
}
