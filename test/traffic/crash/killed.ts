import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CopyOrder, MoveOrder } from "./pair";

/** What a process of its own does, and at which step it dies. */
export interface Order {
	copy?: CopyOrder;
	move?: MoveOrder;
	killAt?: string;
}

/** Processes that are killed; the next one is started ahead, since starting takes longer than the work. */
export class Victims {
	private spare: ChildProcess | undefined;

	/** Lets one die at a step. */
	async killAt(step: string, order: Order): Promise<void> {
		const { signal, output } = await this.run({ ...order, killAt: step });
		assert.equal(signal, "SIGKILL", `it did not come to the step ${step}: ${output}`);
	}

	/** Kills one after so many milliseconds of its work. Returns whether it was not done by then. */
	async killAfter(milliseconds: number, order: Order): Promise<boolean> {
		const { code, signal, output } = await this.run(order, milliseconds);
		assert.ok(signal === "SIGKILL" || code === 0, output);
		return signal === "SIGKILL";
	}

	end(): void {
		this.spare?.kill("SIGKILL");
	}

	private async run(
		order: Order,
		milliseconds?: number,
	): Promise<{ code: number | null; signal: NodeJS.Signals | null; output: string }> {
		const child = this.spare ?? start();
		let output = "";
		child.stderr?.on("data", (chunk: Buffer) => {
			output += chunk.toString();
		});
		const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
		const begun = child.stdout ? once(child.stdout, "data") : undefined;
		child.stdin?.end(JSON.stringify(order));
		this.spare = start();
		if (milliseconds !== undefined) {
			await Promise.race([begun, ended]);
			await Promise.race([sleep(milliseconds), ended]);
			child.kill("SIGKILL");
		}
		const [code, signal] = await ended;
		return { code, signal, output };
	}
}

function start(): ChildProcess {
	return spawn(process.execPath, ["--require", "tsx/cjs", join(__dirname, "child.ts")], { stdio: "pipe" });
}
