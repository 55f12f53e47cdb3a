import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { findFreePort } from "../../../components/local/port";
import { until } from "../../support/waiting";

/** Whether the stand-in for AWS by the name of moto is installed here. */
export function motoIsInstalled(): boolean {
	return spawnSync("moto_server", ["--help"]).status === 0;
}

/** What the SDK of AWS signs its requests with. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

/** One moto, which answers as AWS does and keeps what it is told until it ends. */
export class Moto {
	private constructor(
		private readonly process: ChildProcess,
		readonly endpoint: string,
	) {}

	static async start(): Promise<Moto> {
		const port = await findFreePort();
		const process = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
		const moto = new Moto(process, `http://127.0.0.1:${port}`);
		await until("moto answers", async () => {
			if (process.exitCode !== null) {
				throw new Error(`moto ended with ${process.exitCode}`);
			}
			const reply = await fetch(`${moto.endpoint}/moto-api/data.json`).catch(() => undefined);
			return reply?.ok || undefined;
		});
		return moto;
	}

	async stop(): Promise<void> {
		if (this.process.exitCode === null && this.process.signalCode === null) {
			const ended = once(this.process, "exit");
			this.process.kill("SIGTERM");
			await ended;
		}
	}
}
