import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Connection } from "../../components/database/connection";
import type { CutoverRouter } from "../../components/traffic/cutover";
import type { Target } from "../../components/traffic/routing";
import { answerOf, startChild } from "../cutover/child";

/** What the process that writes is to do. */
export interface WriterTask {
	/** Where each colour takes writes, by the name of its target. */
	connections: Record<string, Connection>;
	/** The colour that gets the writes at first. */
	target: string;
	/** Transactions each second, each of which inserts a row or updates one; 0 writes nothing. */
	perSecond: number;
	/** Inserted rows belong to this camera. */
	cameraId: number;
	/** The ids that updates choose from begin at 1 and end here. */
	lastId: number;
	/** Begins the names of what is inserted, so that it can be found again. */
	run: string;
}

export type WriterOrder =
	| { order: "begin" }
	| { order: "phase"; name: string }
	| { order: "prepare"; target: string }
	| { order: "hold" }
	| { order: "route"; target: string }
	| { order: "release" }
	| { order: "stop" };

export interface WriterPhase {
	seconds: number;
	/** Milliseconds from when each transaction was due to its acknowledgement. */
	latencies: number[];
}

export interface WriterReport {
	phases: Record<string, WriterPhase>;
	/** Of each move to another colour, in milliseconds: from its last acknowledged write to the other's first. */
	pauses: number[];
	/** Names of the rows whose insertion was acknowledged. */
	inserted: string[];
	/** Every transaction that was not acknowledged. */
	failures: string[];
}

/**
 * A process that writes at a constant rate, however long answers take, and that is its own router: what a cutover asks
 * of a router, it does to itself. So the pause has no part of a router's own or of a service.
 */
export class Writer implements CutoverRouter {
	private constructor(
		private readonly child: ChildProcess,
		private target: Target,
	) {}

	static async start(task: WriterTask): Promise<Writer> {
		const child = startChild(join(__dirname, "writing.ts"));
		const writer = new Writer(child, { targetGroup: task.target, url: "" });
		await writer.ask(task);
		await writer.ask({ order: "begin" });
		return writer;
	}

	/** From here on latencies are counted under this name. */
	async phase(name: string): Promise<void> {
		await this.ask({ order: "phase", name });
	}

	async active(): Promise<Target> {
		return this.target;
	}

	async prepare({ targetGroup }: Target): Promise<void> {
		await this.ask({ order: "prepare", target: targetGroup });
	}

	async hold(): Promise<{ holdId: string; inFlight: number }> {
		await this.ask({ order: "hold" });
		return { holdId: randomUUID(), inFlight: 0 };
	}

	async route(target: Target): Promise<void> {
		await this.ask({ order: "route", target: target.targetGroup });
		this.target = target;
	}

	async release(): Promise<void> {
		await this.ask({ order: "release" });
	}

	/** Lets writes under way end. */
	stop(): Promise<WriterReport> {
		return this.ask<WriterReport>({ order: "stop" });
	}

	/** Ends it, whatever it does. */
	end(): void {
		this.child.kill();
	}

	private async ask<T>(order: WriterOrder | WriterTask): Promise<T> {
		const answer = answerOf<T>(this.child);
		const sent = new Promise<void>((resolve, reject) => {
			this.child.send(order, (error) => (error ? reject(error) : resolve()));
		});
		const [, given] = await Promise.all([sent, answer]);
		return given;
	}
}
