import { join } from "node:path";
import { GatewayClient, GatewayError } from "../../../gateway/client";
import { poll } from "../../local/deadline";
import type { Router, Target, TrafficCounters } from "../routing";
import { colorTargets } from "./color-targets";
import { routerState } from "./router-file";
import { activeTarget } from "./switch";

const POLL_INTERVAL_MS = 50;

/** The gateway of platform `local` as a router. */
export class GatewayRouter implements Router {
	/**
	 * @param stateFile the gateway's state file
	 * @param serviceDirectory the folder in which each colour has one of its services; without it none are known
	 */
	constructor(
		private readonly stateFile: string,
		private readonly serviceDirectory?: string,
	) {}

	async active(): Promise<Target | undefined> {
		return activeTarget(this.stateFile);
	}

	async prepare({ targetGroup, url }: Target, timeoutMs: number): Promise<void> {
		const gateway = this.connect();
		await this.removeUnused(gateway, targetGroup);
		let { health, lastError } = await gateway.putTarget(targetGroup, { url });
		const healthy = await poll(timeoutMs, POLL_INTERVAL_MS, async () => {
			if (health !== "healthy") {
				const { targets } = await gateway.status();
				health = targets[targetGroup]?.health ?? "unknown";
				lastError = targets[targetGroup]?.lastError ?? lastError;
			}
			return health === "healthy" || undefined;
		});
		if (healthy === undefined) {
			throw new Error(
				`the router finds ${targetGroup} unhealthy after ${timeoutMs} ms: ${lastError ?? "it has not been checked"}`,
			);
		}
	}

	async hold(limits: {
		timeoutMs: number;
		waitForIdleMs: number;
	}): Promise<{ holdId: string; inFlight: number }> {
		const gateway = this.connect();
		try {
			return await gateway.hold(limits);
		} catch (error) {
			if (!(error instanceof GatewayError && error.error === "already_holding")) {
				throw error;
			}
		}
		// Of an update that was killed: nobody else can be at work on this router now.
		const { hold } = await gateway.status();
		if (hold !== null) {
			await this.release(hold.holdId);
		}
		return gateway.hold(limits);
	}

	async route({ targetGroup }: Target): Promise<void> {
		await this.connect().route({ target: targetGroup, requireHealthy: false });
	}

	async release(holdId: string): Promise<void> {
		try {
			await this.connect().release(holdId);
		} catch (error) {
			// It has ended by itself: nothing waits any more, which is what was asked for.
			if (!(error instanceof GatewayError && error.error === "not_holding")) {
				throw error;
			}
		}
	}

	async releaseForsaken(): Promise<void> {
		const { hold } = await this.connect().status();
		if (hold !== null) {
			await this.release(hold.holdId);
		}
	}

	async traffic(targetGroup: string): Promise<TrafficCounters> {
		const { targets } = await this.connect().status();
		const target = targets[targetGroup];
		if (target === undefined) {
			throw new Error(`the router has no target ${targetGroup}`);
		}
		const { requests, failures, latency } = target.counters;
		return { requests, failures, latencyBuckets: latency.buckets };
	}

	async targetsOf(color: string): Promise<Target[]> {
		return this.serviceDirectory === undefined
			? []
			: colorTargets(this.stateFile, join(this.serviceDirectory, color));
	}

	/** Targets of services that have ended since; one that has the traffic is left alone. */
	private async removeUnused(gateway: GatewayClient, wanted: string): Promise<void> {
		const { targets, active } = await gateway.status();
		for (const [name, { health }] of Object.entries(targets)) {
			if (name !== active && name !== wanted && health === "unhealthy") {
				await gateway.deleteTarget(name);
			}
		}
	}

	private connect(): GatewayClient {
		const state = routerState(this.stateFile);
		if (state === undefined) {
			throw new Error(`there is no router at ${this.stateFile}: run the update again`);
		}
		return new GatewayClient(state);
	}
}
