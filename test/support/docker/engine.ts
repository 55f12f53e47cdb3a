import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../../components/local/deadline";
import { installed } from "./programs";

/** Why no Docker engine can be started here; undefined when one can. */
export function engineObstacle(): string | undefined {
	if (process.getuid?.() !== 0) {
		return "a Docker engine needs root";
	}
	const missing = ["dockerd", "docker"].filter((program) => installed(program) === undefined);
	return missing.length > 0 ? `there is no ${missing.join(", no ")}` : undefined;
}

/** A Docker engine of the tests' own, beside whatever other one there may be. */
export class DockerEngine {
	private readonly directory = mkdtempSync(join(tmpdir(), "counting-docker-"));
	readonly socket = `unix://${this.directory}/docker.sock`;
	private process: ChildProcess | undefined;

	async start(): Promise<void> {
		const log = openSync(join(this.directory, "log"), "a");
		const at = (name: string) => join(this.directory, name);
		this.process = spawn(
			"dockerd",
			[
				// No rule of the machine's firewall is touched: published ports are passed on by a process.
				...["--iptables=false", "--ip6tables=false", "--bridge=none", "--host", this.socket],
				...["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")],
			],
			{ stdio: ["ignore", log, log] },
		);
		const answers = await poll(60_000, 200, () => {
			if (this.process?.exitCode !== null) {
				throw new Error(`the Docker engine ended:\n${readFileSync(join(this.directory, "log"), "utf8")}`);
			}
			try {
				return this.docker("version", "--format", "{{.Server.Version}}");
			} catch {
				// Not listening yet: asked again until the deadline.
				return undefined;
			}
		});
		if (answers === undefined) {
			throw new Error("the Docker engine does not answer after 60 s");
		}
	}

	/** What a command of the Docker CLI prints. */
	docker(...args: string[]): string {
		return execFileSync("docker", ["-H", this.socket, ...args], {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "pipe"],
		}).trim();
	}

	async stop(): Promise<void> {
		const left = this.docker("ps", "--all", "--quiet").split("\n").filter(Boolean);
		if (left.length > 0) {
			this.docker("rm", "--force", "--volumes", ...left);
		}
		for (const network of this.docker("network", "ls", "--quiet", "--filter", "driver=bridge")
			.split("\n")
			.filter(Boolean)) {
			this.docker("network", "rm", network);
		}
		if (this.process?.exitCode === null) {
			const ended = once(this.process, "exit");
			this.process.kill("SIGTERM");
			await ended;
		}
		rmSync(this.directory, { recursive: true, force: true });
	}
}
