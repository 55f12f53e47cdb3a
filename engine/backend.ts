/** The file backend: where a folder keeps the state, history, backups and locks of its stacks. */
import { copyFileSync, existsSync, linkSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { type Checkpoint, parseCheckpoint } from "./checkpoint";
import { codeOf, EngineError, EXIT, messageOf } from "./errors";
import { namesIn, readJson, readText, writeAtomically } from "./files";
import { type Project, pulumiHome, type StackName } from "./project";

/**
 * The backend that the environment, the project or the last login names.
 * @throws EngineError for backends that are not folders.
 */
export function openBackend(env: NodeJS.ProcessEnv, cwd: string, project: Project | undefined): Backend {
	const url = env.PULUMI_BACKEND_URL || project?.backendUrl || loggedIn(env);
	if (url === undefined) {
		throw new EngineError(
			"PULUMI_BACKEND_URL must be set: the embedded engine keeps state in folders only, e.g. file://~ or file://.",
			EXIT.authentication,
		);
	}
	if (!url.startsWith("file://")) {
		throw new EngineError(
			`the embedded engine keeps state in folders only (file://...), not in ${url.replace(/\/\/[^@/]*@/, "//****@")}; ` +
				"install the Pulumi CLI to use that backend",
			EXIT.authentication,
		);
	}
	const folder = folderOf(url, cwd, env);
	if (!existsSync(folder)) {
		throw new EngineError(`unable to open backend ${url}: there is no folder ${folder}`);
	}
	return new Backend(url, folder);
}

function loggedIn(env: NodeJS.ProcessEnv): string | undefined {
	const credentials = readJson(join(pulumiHome(env), "credentials.json"));
	if (typeof credentials !== "object" || credentials === null || !("current" in credentials))
		return undefined;
	return typeof credentials.current === "string" && credentials.current !== ""
		? credentials.current
		: undefined;
}

function folderOf(url: string, cwd: string, env: NodeJS.ProcessEnv): string {
	const path = url.slice("file://".length).split("?")[0]!;
	if (path === "~" || path.startsWith("~/")) return join(env.HOME || homedir(), path.slice(1));
	if (isAbsolute(path)) return fileURLToPath(`file://${path}`);
	return resolve(cwd, path);
}

export class Backend {
	private readonly metadata: string;

	constructor(
		/** As the operator gave it; selected stacks are remembered by it. */
		readonly url: string,
		readonly folder: string,
	) {
		this.metadata = join(folder, ".pulumi", "meta.yaml");
		this.ensureLayout();
	}

	/** New folders get the layout by project; the older one is refused. */
	private ensureLayout(): void {
		const text = readText(this.metadata);
		if (text !== undefined) {
			const version: unknown = (parse(text) as { version?: unknown } | null)?.version;
			if (version === 1) return;
			throw new EngineError(
				`${this.metadata} has version ${String(version)}; the embedded engine knows version 1`,
			);
		}
		const stacks = join(this.folder, ".pulumi", "stacks");
		if (namesIn(stacks).some((name) => name.endsWith(".json"))) {
			throw new EngineError(
				`${stacks} has the layout without projects; run \`pulumi state upgrade\` of the Pulumi CLI`,
			);
		}
		writeAtomically(this.metadata, "version: 1\n");
	}

	private path(kind: string, name: StackName): string {
		return join(this.folder, ".pulumi", kind, name.project, name.stack);
	}

	stateFile(name: StackName): string {
		return `${this.path("stacks", name)}.json`;
	}

	historyDirectory(name: StackName): string {
		return this.path("history", name);
	}

	lockDirectory(name: StackName): string {
		return join(this.folder, ".pulumi", "locks", "organization", name.project, name.stack);
	}

	exists(name: StackName): boolean {
		return existsSync(this.stateFile(name)) || this.isCompressed(name);
	}

	private isCompressed(name: StackName): boolean {
		return [".gz", ".zst"].some((suffix) => existsSync(this.stateFile(name) + suffix));
	}

	/** @throws EngineError (exit code of a missing stack) when there is no such stack. */
	load(name: StackName): Checkpoint {
		const file = this.stateFile(name);
		if (this.isCompressed(name)) {
			throw new EngineError(
				`${file} is compressed; the embedded engine reads plain state files: use the Pulumi CLI`,
			);
		}
		const content = readJson(file);
		if (content === undefined)
			throw new EngineError(`no stack named '${name.stack}' found`, EXIT.stackNotFound);
		return parseCheckpoint(content, file);
	}

	/** Replaces the state file, keeping the one before as `.bak`. */
	save(name: StackName, text: string): void {
		const file = this.stateFile(name);
		if (existsSync(file)) {
			const backup = `${file}.bak`;
			rmSync(backup, { force: true });
			try {
				linkSync(file, backup);
			} catch (error) {
				if (codeOf(error) === "ENOENT") throw error;
				copyFileSync(file, backup);
			}
		}
		writeAtomically(file, text);
		// The CLI keeps a checksum beside the file; a stale one is worse than none.
		rmSync(`${file}.attrs`, { force: true });
	}

	/** The stacks of one project, or of all. */
	list(project: string | undefined): StackName[] {
		const root = join(this.folder, ".pulumi", "stacks");
		const projects =
			project === undefined ? namesIn(root).filter((name) => isDirectory(join(root, name))) : [project];
		return projects.flatMap((owner) =>
			namesIn(join(root, owner))
				.filter((name) => /\.json(\.gz|\.zst)?$/.test(name))
				.map((name) => ({ project: owner, stack: name.replace(/\.json(\.gz|\.zst)?$/, "") })),
		);
	}

	/** Removes the stack's state and history. The last state stays as `.bak`, as the CLI leaves it. */
	remove(name: StackName): void {
		const file = this.stateFile(name);
		try {
			copyFileSync(file, `${file}.bak`);
			for (const gone of [file, `${file}.attrs`]) rmSync(gone, { force: true });
			rmSync(this.historyDirectory(name), { recursive: true, force: true });
		} catch (error) {
			throw new EngineError(`could not remove ${file}: ${messageOf(error)}`);
		}
	}

	/** Copies the state file to the backups. */
	backUp(name: StackName, nanoseconds: string): void {
		const file = this.stateFile(name);
		const backup = join(this.path("backups", name), `${basename(file, ".json")}.${nanoseconds}.json`);
		writeAtomically(backup, readFileSync(file, "utf8"));
	}
}

function isDirectory(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
