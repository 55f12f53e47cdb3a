import { type ChildProcess, spawn } from "node:child_process";
import {
	chmodSync,
	cpSync,
	existsSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { QueryResultRow } from "pg";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { type Connection, withClient } from "../../components/database/connection";
import { superuserConnection } from "../../components/database/local/server";
import { localNames } from "../../components/release/names";

import { processesOf } from "./processes";

const repository = join(__dirname, "..", "..");

/** What a clone has that an update needs. */
const PARTS = [
	"index.ts",
	"package.json",
	"tsconfig.json",
	"Pulumi.yaml",
	"Pulumi.dev.yaml",
	"Pulumi.staging.yaml",
	"components",
	"dashboard",
	"engine",
	"gateway",
	"migrations",
	"scripts",
	"service",
	"stages",
];

export type EngineName = "embedded" | "cli";

export interface CommandResult {
	code: number;
	/** Standard output and standard error, as they came. */
	output: string;
	stdout: string;
}

const outputsSchema = z.object({
	url: z.string(),
	release: z.string(),
	migrations: z.record(z.string(), z.string()),
	databaseHost: z.string(),
	databasePort: z.number(),
	databaseName: z.string(),
	databaseUser: z.string(),
	databasePassword: z.string(),
});

/** A copy of the project in a folder of its own, worked on as an operator would. */
export class TestProject {
	readonly directory = mkdtempSync(join(tmpdir(), "counting-project-"));

	/** @param stack one that the project has a stack file of */
	constructor(
		readonly engine: EngineName,
		readonly stack = "dev",
	) {
		// A folder that PostgreSQL's own account can enter when root runs the tests.
		chmodSync(this.directory, 0o755);
		for (const part of PARTS) {
			cpSync(join(repository, part), join(this.directory, part), { recursive: true });
		}
		// From release 1.4.0 on, migrations are the tests' own, and so is what tests their tables.
		const isLater = (name: string) => !/^1\.[0-3]\./.test(name);
		for (const file of readdirSync(this.path("migrations")).filter(isLater)) {
			this.removeMigration(file);
		}
		for (const file of readdirSync(this.path("stages", "database")).filter(isLater)) {
			rmSync(this.path("stages", "database", file));
		}
		symlinkSync(join(repository, "node_modules"), join(this.directory, "node_modules"));
		// Stages of an environment take longer than most of what is tested here; a test that is about them declares them.
		this.configure({ stages: "[]" });
	}

	get stackFile(): string {
		return join(this.directory, `Pulumi.${this.stack}.yaml`);
	}

	/** A path below the stack's folder, where everything of platform `local` lies. */
	local(...parts: string[]): string {
		return this.path(localNames(this.stack).directory, ...parts);
	}

	/** A path below the project's folder. */
	path(...parts: string[]): string {
		return join(this.directory, ...parts);
	}

	/** Edits the stack file; undefined takes a key out. */
	configure(changes: Record<string, string | number | boolean | undefined>): void {
		const file = parse(readFileSync(this.stackFile, "utf8"));
		for (const [key, value] of Object.entries(changes)) {
			if (value === undefined) {
				delete file.config[`camera-counting:${key}`];
			} else {
				file.config[`camera-counting:${key}`] = value;
			}
		}
		writeFileSync(this.stackFile, stringify(file));
	}

	/** Adds a migration file, or changes one. */
	migration(fileName: string, content: string): void {
		writeFileSync(this.path("migrations", fileName), content);
	}

	/** Puts back a migration that the constructor has left out. */
	bringMigration(fileName: string): void {
		cpSync(join(repository, "migrations", fileName), this.path("migrations", fileName));
	}

	removeMigration(fileName: string): void {
		rmSync(this.path("migrations", fileName));
	}

	async init(): Promise<void> {
		await this.must("stack", "init", this.stack);
	}

	/** `pulumi up --yes` on the stack. */
	up(...args: string[]): Promise<CommandResult> {
		return this.pulumi("up", "--yes", "--skip-preview", "-s", this.stack, ...args);
	}

	/** Runs a command of `npm run pulumi --`. */
	async pulumi(...args: string[]): Promise<CommandResult> {
		return finished(this.start(args));
	}

	/** Runs a command that has to succeed. */
	async must(...args: string[]): Promise<CommandResult> {
		const result = await this.pulumi(...args);
		if (result.code !== 0) {
			throw new Error(`pulumi ${args.join(" ")} ended with ${result.code}:\n${result.output}`);
		}
		return result;
	}

	/** `npm run restore` of a file. */
	async restore(file: string): Promise<void> {
		const { code, output } = await finished(this.start(["-s", this.stack, file], {}, "restore.ts"));
		if (code !== 0) {
			throw new Error(`the restore ended with ${code}:\n${output}`);
		}
	}

	/** Starts a command in a process group of its own, so that all of it can be killed. */
	start(args: string[], environment: NodeJS.ProcessEnv = {}, script = "pulumi.ts"): ChildProcess {
		return spawn(process.execPath, ["--require", "tsx/cjs", this.path("scripts", script), ...args], {
			cwd: this.directory,
			detached: true,
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...inherited(), DEPLOY_ENGINE: this.engine, ...environment },
		});
	}

	async outputs(): Promise<z.infer<typeof outputsSchema>> {
		const { stdout } = await this.must("stack", "output", "--json", "--show-secrets", "-s", this.stack);
		return outputsSchema.parse(JSON.parse(stdout));
	}

	/**
	 * The superuser, whose password only the state knows.
	 *
	 * @param server the name of the server's resource
	 */
	async superuser(database = "postgres", server = "server"): Promise<Connection> {
		const { stdout } = await this.must("stack", "export", "--show-secrets", "-s", this.stack);
		const { resources } = JSON.parse(stdout).deployment as {
			resources: { urn: string; type: string; outputs?: { port: number; password: unknown } }[];
		};
		const found = resources.find(
			({ type, urn }) => type.endsWith(":LocalServer") && urn.endsWith(`::${server}`),
		);
		if (found?.outputs === undefined) {
			throw new Error(`the state has no ${server}`);
		}
		return superuserConnection(found.outputs.port, revealed(found.outputs.password), database);
	}

	/** Asks the stack's catalog. */
	async catalog<T extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
		return query<T>(await this.superuser(localNames(this.stack).catalog), sql, values);
	}

	/** Asks the stack's own database. */
	async database<T extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
		return query<T>(await this.superuser(localNames(this.stack).database), sql, values);
	}

	/** The process ids of everything that runs for this project. */
	processes(): number[] {
		return processesOf(this.directory);
	}

	/** Destroys what is deployed and removes the folder. */
	async remove(): Promise<void> {
		try {
			if (existsSync(this.local())) {
				await this.must("destroy", "--yes", "--skip-preview", "-s", this.stack);
			}
		} finally {
			rmSync(this.directory, { recursive: true, force: true });
		}
	}
}

export async function query<T extends QueryResultRow>(
	connection: Connection,
	sql: string,
	values: unknown[] = [],
): Promise<T[]> {
	return withClient(
		connection,
		{ applicationName: "test" },
		async (client) => (await client.query<T>(sql, values)).rows,
	);
}

/** Collects what a command prints until it ends. */
export function finished(child: ChildProcess): Promise<CommandResult> {
	let output = "";
	let stdout = "";
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		output += text;
		stdout += text;
	});
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		output += text;
	});
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code) => resolve({ code: code ?? -1, output, stdout }));
	});
}

/** The test's environment without what would change the meaning of a command. */
function inherited(): NodeJS.ProcessEnv {
	return {
		...Object.fromEntries(
			Object.entries(process.env).filter(([key]) => !key.startsWith("PULUMI_") && !key.startsWith("npm_")),
		),
		PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
	};
}

const secretSchema = z.object({ plaintext: z.string() });

function revealed(value: unknown): string {
	const { plaintext } = secretSchema.parse(value);
	return z.string().parse(JSON.parse(plaintext));
}
