import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { stringify } from "yaml";
import { z } from "zod";
import type { Connection } from "../components/database/connection";
import { makeDirectory, writeFileAtomically } from "../components/local/files";
import { projectDirectory, projectName } from "../scripts/project";

const STACK = "demo";

const outputsSchema = z.object({
	url: z.string(),
	live: z.string(),
	release: z.string(),
	pauseMs: z.number(),
	databaseHost: z.string(),
	databasePort: z.number(),
	databaseName: z.string(),
	databaseUser: z.string(),
	databasePassword: z.string(),
});

export type DemoOutputs = z.infer<typeof outputsSchema>;

/**
 * The demo's own stack: its stack file and its state lie in a folder of their own, so that no committed file changes and
 * nothing is left in the state that the operator's stacks have.
 */
export class DemoStack {
	private readonly folder = join(projectDirectory, ".local", "demo-stack");
	private readonly stackFile = join(this.folder, `Pulumi.${STACK}.yaml`);
	private readonly state = join(this.folder, "state");

	constructor(private readonly tell: (line: string) => void) {}

	/** Makes an empty stack, after removing what an interrupted demo may have left. */
	async create(): Promise<void> {
		await this.remove();
		this.setRelease("1.2.0");
		await this.must(["stack", "init", STACK, "--non-interactive"]);
	}

	/** What an operator does to the stack file. */
	setRelease(release: string): void {
		const config = {
			environment: "staging",
			platform: "local",
			strategy: "blue-green",
			release,
			bakeSeconds: "5",
			// A busy laptop is no failing release.
			bakeMaxLatencyMilliseconds: "10000",
			logLevel: "warn",
			// It shows how the traffic moves, not what a release is tested with.
			stages: "[]",
		};
		const entries = Object.entries(config).map(([key, value]) => [`${projectName}:${key}`, value]);
		writeFileAtomically(this.stackFile, stringify({ config: Object.fromEntries(entries) }), 0o600);
	}

	/** `pulumi up`, of whose output the deployment's own words are told. */
	async up(): Promise<void> {
		await this.must(["up", "--yes", "--skip-preview", ...this.ownFile()], (line) => {
			// The CLI says «running» before what the program logs; the embedded engine does not.
			const said = new RegExp(`^\\s+pulumi:pulumi:Stack ${projectName}-${STACK} (?:running )?(.+)$`);
			const [, words] = said.exec(line) ?? [];
			if (words !== undefined && !/^(read|creat\w+|running|error|\s*\d+ messages?)/.test(words)) {
				this.tell(words);
			}
		});
	}

	async outputs(): Promise<DemoOutputs> {
		const text = await this.must(["stack", "output", "--json", "--show-secrets", "-s", STACK]);
		return outputsSchema.parse(JSON.parse(text));
	}

	/** The live colour's database as the application's role. */
	async liveDatabase(): Promise<Connection> {
		const { databaseHost, databasePort, databaseName, databaseUser, databasePassword } = await this.outputs();
		return {
			host: databaseHost,
			port: databasePort,
			database: databaseName,
			user: databaseUser,
			password: databasePassword,
			sslMode: "disable",
		};
	}

	/** Destroys everything and forgets the stack. */
	async remove(): Promise<void> {
		if (existsSync(this.stackFile)) {
			const stacks = z
				.array(z.object({ name: z.string() }))
				.parse(JSON.parse(await this.must(["stack", "ls", "--json"])));
			if (stacks.some(({ name }) => name === STACK || name.endsWith(`/${STACK}`))) {
				await this.must(["destroy", "--yes", "--skip-preview", ...this.ownFile()]);
				await this.must(["stack", "rm", STACK, "--yes"]);
			}
		}
		rmSync(this.folder, { recursive: true, force: true });
	}

	/** For the commands that read a stack file; the CLI refuses it with others. */
	private ownFile(): string[] {
		return ["-s", STACK, "--config-file", this.stackFile];
	}

	/** Runs a command in a process of its own, so that the load on this one is not held up. Returns what it printed. */
	private must(args: string[], onLine?: (line: string) => void): Promise<string> {
		const program = [
			process.execPath,
			"--require",
			"tsx/cjs",
			join(projectDirectory, "scripts", "pulumi.ts"),
		];
		makeDirectory(this.state, 0o700);
		return new Promise((resolve, reject) => {
			const child = spawn(program[0]!, [...program.slice(1), ...args], {
				cwd: projectDirectory,
				env: { ...process.env, PULUMI_BACKEND_URL: pathToFileURL(this.state).href },
				stdio: ["ignore", "pipe", "pipe"],
			});
			let stdout = "";
			let all = "";
			let rest = "";
			child.stdout.setEncoding("utf8").on("data", (text: string) => {
				stdout += text;
				all += text;
				const lines = (rest + text).split("\n");
				rest = lines.pop() ?? "";
				for (const line of lines) {
					onLine?.(line);
				}
			});
			child.stderr.setEncoding("utf8").on("data", (text: string) => {
				all += text;
			});
			child.once("error", reject);
			child.once("close", (code) =>
				code === 0
					? resolve(stdout)
					: reject(new Error(`\`pulumi ${args.join(" ")}\` ended with ${code}:\n${all}`)),
			);
		});
	}
}
