import type { Client } from "pg";
import { connect } from "../../components/database/connection";
import type { WriterOrder, WriterPhase, WriterReport, WriterTask } from "./writer";

/** Of each colour; those of a service in production. */
const SESSIONS = 20;

const INSERT = {
	name: "insert",
	text: "INSERT INTO counting_results (camera_id, count_type, count_value) VALUES ($1, $2, $3)",
};
const UPDATE = { name: "update", text: "UPDATE counting_results SET count_value = $2 WHERE id = $1" };

/** Writes at a constant rate: every other transaction inserts a row, the others each update one anywhere in the table. */
class Writing {
	private readonly sessions = new Map<string, Client[]>();
	private readonly report: WriterReport = { phases: {}, pauses: [], inserted: [], failures: [] };
	private phase: WriterPhase = { seconds: 0, latencies: [] };
	private phaseBegun = 0;
	private target: string;
	private idle: Client[] = [];
	private inFlight = 0;
	private whenIdle: (() => void) | undefined;
	private held = false;
	private stopped = false;
	private begun = 0;
	private written = 0;
	private lastAcknowledged: number | undefined;
	/** When the other colour acknowledged its last write, until this one has acknowledged its first. */
	private movedAfter: number | undefined;

	constructor(private readonly task: WriterTask) {
		this.target = task.target;
	}

	async obey(order: WriterOrder): Promise<unknown> {
		switch (order.order) {
			case "begin":
				await this.open(this.target);
				this.idle = [...this.sessions.get(this.target)!];
				this.begun = performance.now();
				this.enter("begin");
				this.tick();
				return;
			case "phase":
				return this.enter(order.name);
			case "prepare":
				return this.open(order.target);
			case "hold":
				this.held = true;
				return this.untilIdle();
			case "route":
				this.target = order.target;
				this.idle = [...this.sessions.get(order.target)!];
				this.movedAfter = this.lastAcknowledged;
				return;
			case "release":
				this.held = false;
				return this.writeWhatIsDue();
			case "stop":
				this.stopped = true;
				await this.untilIdle();
				await Promise.all([...this.sessions.values()].flat().map((client) => client.end()));
				this.enter("end");
				return this.report;
		}
	}

	private async open(target: string): Promise<void> {
		if (this.sessions.has(target)) return;
		const connection = this.task.connections[target]!;
		const opened = Array.from({ length: SESSIONS }, () => connect(connection, { applicationName: "bench" }));
		this.sessions.set(target, await Promise.all(opened));
	}

	private enter(name: string): void {
		const now = performance.now();
		this.phase.seconds = (now - this.phaseBegun) / 1000;
		this.phase = { seconds: 0, latencies: [] };
		this.phaseBegun = now;
		this.report.phases[name] = this.phase;
	}

	private tick(): void {
		if (this.stopped) return;
		this.writeWhatIsDue();
		setTimeout(() => this.tick(), 1);
	}

	private writeWhatIsDue(): void {
		while (this.task.perSecond > 0 && !this.held && !this.stopped && this.idle.length > 0) {
			const dueAt = this.begun + (this.written * 1000) / this.task.perSecond;
			if (dueAt > performance.now()) return;
			void this.write(this.idle.pop()!, this.written++, dueAt);
		}
	}

	private async write(client: Client, number: number, dueAt: number): Promise<void> {
		const { cameraId, lastId, run } = this.task;
		const name = `${run}-${number}`;
		const inserts = number % 2 === 0;
		this.inFlight++;
		try {
			await (inserts
				? client.query(INSERT, [cameraId, name, number])
				: client.query(UPDATE, [1 + Math.floor(Math.random() * lastId), number]));
			this.acknowledged(performance.now(), dueAt);
			if (inserts) this.report.inserted.push(name);
		} catch (error) {
			this.report.failures.push(error instanceof Error ? error.message : String(error));
		}
		this.inFlight--;
		this.idle.push(client);
		if (this.inFlight === 0) this.whenIdle?.();
		this.writeWhatIsDue();
	}

	private acknowledged(now: number, dueAt: number): void {
		this.phase.latencies.push(now - dueAt);
		if (this.movedAfter !== undefined) {
			this.report.pauses.push(now - this.movedAfter);
			this.movedAfter = undefined;
		}
		this.lastAcknowledged = now;
	}

	private untilIdle(): Promise<void> {
		return new Promise((resolve) => {
			this.whenIdle = resolve;
			if (this.inFlight === 0) resolve();
		});
	}
}

// Whoever started it may have been ended.
process.once("disconnect", () => process.exit());
process.once("message", (task: WriterTask) => {
	const writing = new Writing(task);
	process.on("message", (order: WriterOrder) => {
		writing.obey(order).then(
			(answer) =>
				process.send?.(answer ?? "done", () => {
					if (order.order === "stop") process.disconnect();
				}),
			(error: unknown) => {
				console.error(error);
				process.exit(1);
			},
		);
	});
	process.send?.("ready");
});
