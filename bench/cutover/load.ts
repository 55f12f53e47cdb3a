import type { ChildProcess } from "node:child_process";
import { answerOf, startChild } from "./child";

export interface LoadOptions {
	/** The router's public address. */
	url: string;
	cameraId: number;
	/** Begins the names of what is written, so that it can be found again. */
	run: string;
	writesPerSecond: number;
	/** Writes whose transactions stay open for 120 ms after they have begun to write. */
	slowPerSecond: number;
}

/** What a client has seen; one entry in each list for every acknowledged write, in the order of acknowledgement. */
export interface LoadReport {
	ids: number[];
	names: string[];
	/** Milliseconds on the client's own clock. */
	sentAt: number[];
	acknowledgedAt: number[];
	/** Every write that was not acknowledged. */
	failures: string[];
	sent: number;
}

/** A client in a process of its own. */
export class Load {
	private constructor(private readonly child: ChildProcess) {}

	static start(options: LoadOptions): Load {
		const child = startChild("client.ts");
		child.send(options);
		return new Load(child);
	}

	/** Lets writes under way end. */
	stop(): Promise<LoadReport> {
		const report = answerOf<LoadReport>(this.child);
		this.child.send("stop");
		return report;
	}
}
