import { Agent, request } from "node:http";
import type { LoadOptions, LoadReport } from "./load";

/** Longest wait for an answer, in milliseconds. */
const TIMEOUT_MS = 20_000;
const SLOW_PREFIX = "slow-";

/**
 * Writes at a constant rate, however long answers take, until its parent says stop. A process of its own, so that
 * nothing that a switch does can delay what it sees.
 */
class Client {
	private readonly agent = new Agent({ keepAlive: true, maxSockets: 512 });
	private readonly report: LoadReport = {
		ids: [],
		names: [],
		sentAt: [],
		acknowledgedAt: [],
		failures: [],
		sent: 0,
	};
	private readonly pending = new Set<Promise<void>>();
	private running = true;

	constructor(private readonly options: LoadOptions) {}

	async run(): Promise<LoadReport> {
		const { writesPerSecond, slowPerSecond } = this.options;
		const started = performance.now();
		let written = 0;
		let slow = 0;
		await new Promise<void>((resolve) => {
			const tick = () => {
				if (!this.running) {
					resolve();
					return;
				}
				const seconds = (performance.now() - started) / 1000;
				for (; written < seconds * writesPerSecond; written++) {
					this.track(this.write(""));
				}
				for (; slow < seconds * slowPerSecond; slow++) {
					this.track(this.write(SLOW_PREFIX));
				}
				setTimeout(tick, 1);
			};
			tick();
		});
		await Promise.all(this.pending);
		this.agent.destroy();
		return this.report;
	}

	stop(): void {
		this.running = false;
	}

	private track(work: Promise<void>): void {
		const tracked = work.finally(() => this.pending.delete(tracked));
		this.pending.add(tracked);
	}

	private write(prefix: string): Promise<void> {
		const { report, options } = this;
		const number = report.sent++;
		const name = `${prefix}${options.run}-${number}`;
		const sentAt = performance.now();
		return this.post({ cameraId: options.cameraId, countType: name, countValue: number }).then(
			(id) => {
				report.acknowledgedAt.push(performance.now());
				report.sentAt.push(sentAt);
				report.ids.push(id);
				report.names.push(name);
			},
			(error: Error) => void report.failures.push(`${name}: ${error.message}`),
		);
	}

	private post(content: unknown): Promise<number> {
		const payload = JSON.stringify(content);
		return new Promise((resolve, reject) => {
			const outgoing = request(
				this.options.url + "/counting-results",
				{
					method: "POST",
					agent: this.agent,
					timeout: TIMEOUT_MS,
					headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload) },
				},
				(incoming) => {
					let text = "";
					incoming.setEncoding("utf8");
					incoming.on("data", (chunk: string) => {
						text += chunk;
					});
					incoming.on("error", reject);
					incoming.on("end", () => {
						if (incoming.statusCode === 201) {
							resolve((JSON.parse(text) as { id: number }).id);
						} else {
							reject(new Error(`${incoming.statusCode} ${text}`));
						}
					});
				},
			);
			outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
			outgoing.on("error", reject);
			outgoing.end(payload);
		});
	}
}

// Whoever started it may have been ended.
process.once("disconnect", () => process.exit());
process.once("message", (options: LoadOptions) => {
	const client = new Client(options);
	process.once("message", () => client.stop());
	client.run().then(
		(report) => process.send?.(report, () => process.disconnect()),
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
});
