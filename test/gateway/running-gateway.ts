import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { GatewayClient } from "../../gateway/client";
import type { GatewayState, gatewayStateSchema } from "../../gateway/state";
import { Program } from "../service/program";

type InitialState = Partial<z.input<typeof gatewayStateSchema>>;

/** One running gateway process with a state file of its own. */
export class RunningGateway {
	program!: Program;
	client!: GatewayClient;
	readonly statePath: string;
	private readonly directory = mkdtempSync(join(tmpdir(), "gateway-test-"));

	private constructor(initial: InitialState) {
		this.statePath = join(this.directory, "state.json");
		const state = {
			host: "127.0.0.1",
			port: 0,
			adminPort: 0,
			token: randomBytes(16).toString("hex"),
			instance: randomBytes(8).toString("hex"),
			healthCheck: { intervalMs: 100, timeoutMs: 2000, failures: 2 },
			...initial,
		};
		writeFileSync(this.statePath, JSON.stringify(state), { mode: 0o600 });
	}

	static async start(initial: InitialState = {}): Promise<RunningGateway> {
		const gateway = new RunningGateway(initial);
		await gateway.launch();
		return gateway;
	}

	/** Starts the process again on the same state file. */
	async launch(): Promise<void> {
		this.program = Program.start("gateway/main.ts", [this.statePath], {});
		await this.program.waitFor(/"msg":"listening"/);
		this.client = new GatewayClient(this.state);
	}

	get state(): GatewayState {
		return JSON.parse(readFileSync(this.statePath, "utf8")) as GatewayState;
	}

	get url(): string {
		return `http://127.0.0.1:${this.state.port}`;
	}

	/** Ends the process and removes its files. */
	async stop(): Promise<number | null> {
		const code = await this.program.stop();
		rmSync(this.directory, { recursive: true, force: true });
		return code;
	}
}
