import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findFreePort } from "../../../components/local/port";
import { tellHaproxy } from "../../../components/traffic/docker/haproxy-admin";
import { haproxyConfig } from "../../../components/traffic/docker/haproxy-config";
import { HaproxyRouter } from "../../../components/traffic/docker/haproxy-router";
import { until } from "../../support/waiting";
import type { NameServer } from "./name-server";

/** Whether a haproxy is installed here. */
export function haproxyIsInstalled(): boolean {
	return spawnSync("haproxy", ["-v"]).status === 0;
}

/** One real HAProxy, on free ports, with the configuration that a stack gives it. */
export class RunningHaproxy {
	private readonly directory = mkdtempSync(join(tmpdir(), "haproxy-test-"));
	readonly stateFile = join(this.directory, "state.map");
	private process: ChildProcess | undefined;
	private output = "";

	private constructor(
		readonly port: number,
		readonly adminPort: number,
		private readonly names: NameServer,
	) {}

	static async start(names: NameServer): Promise<RunningHaproxy> {
		const haproxy = new RunningHaproxy(await findFreePort(), await findFreePort(), names);
		await haproxy.launch();
		return haproxy;
	}

	/** Everything that it has said of itself. */
	get said(): string {
		return this.output;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}`;
	}

	get router(): HaproxyRouter {
		return new HaproxyRouter({ host: "127.0.0.1", port: this.adminPort }, this.stateFile);
	}

	/** What its runtime API says to a command. */
	tell(command: string): Promise<string> {
		return tellHaproxy({ host: "127.0.0.1", port: this.adminPort }, command);
	}

	private async launch(): Promise<void> {
		const configFile = join(this.directory, "haproxy.cfg");
		const config = haproxyConfig({
			bind: `127.0.0.1:${this.port}`,
			adminBind: `127.0.0.1:${this.adminPort}`,
			adminSocket: join(this.directory, "admin.sock"),
			stateFile: this.stateFile,
			scripts: resolve("components/traffic/docker"),
			healthPath: "/readyz",
			nameServer: this.names.address,
		});
		// A name that is gone is otherwise believed for half a minute more.
		writeFileSync(configFile, config.replace("resolvers names", "$&\n\thold nx 200ms"));
		this.process = spawn("haproxy", ["-db", "-f", configFile], { stdio: ["ignore", "pipe", "pipe"] });
		for (const stream of [this.process.stdout, this.process.stderr]) {
			stream?.on("data", (chunk) => {
				this.output += chunk;
			});
		}
		await until("haproxy answers", async () => {
			if (this.process?.exitCode !== null) {
				throw new Error(`haproxy ended:\n${this.output}`);
			}
			return this.tell("show info").catch(() => undefined);
		});
	}

	/**
	 * Ends it as a crash would, and starts it with what that left.
	 *
	 * @param state instead of what is in its state file; null where there is none, and none can be written
	 */
	async restart(state?: string | null): Promise<void> {
		await this.kill();
		if (state === null) {
			rmSync(this.stateFile);
			mkdirSync(`${this.stateFile}.new`);
		} else if (state !== undefined) {
			writeFileSync(this.stateFile, state);
		}
		await this.launch();
	}

	async stop(): Promise<void> {
		await this.kill();
		rmSync(this.directory, { recursive: true, force: true });
	}

	private async kill(): Promise<void> {
		if (this.process?.exitCode === null && this.process.signalCode === null) {
			const ended = once(this.process, "exit");
			this.process.kill("SIGKILL");
			await ended;
		}
	}
}
