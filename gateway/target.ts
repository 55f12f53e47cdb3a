import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { type Outcome, RequestCounters } from "./counters";
import { Flights } from "./flights";
import { checkHealth, type HealthFailure } from "./health-check";
import type { Health, TargetSettings, TargetStatus } from "./protocol";
import type { GatewayState } from "./state";

/** Shorter than the services keep theirs, so that this side closes an idle connection first. */
const FREE_SOCKET_MS = 15_000;
const MAX_SOCKETS = 256;

/** One upstream: its connections, its health and what it has done. */
export class Target {
	readonly url: URL;
	readonly agent = new Agent({ keepAlive: true, timeout: FREE_SOCKET_MS, maxSockets: MAX_SOCKETS });
	readonly flights = new Flights();
	private readonly counters = new RequestCounters();
	private readonly webSockets = new Set<Duplex>();
	private readonly healthUrl: URL;
	private health: Health = "unknown";
	private since = new Date();
	private lastError: string | null = null;
	private failuresInARow = 0;
	private checking: Promise<Health> | undefined;
	private timer: NodeJS.Timeout | undefined;
	private closed = false;

	constructor(
		readonly name: string,
		readonly settings: TargetSettings,
		private readonly healthCheck: GatewayState["healthCheck"],
		private readonly onHealth: (target: Target, health: Health, reason: string | null) => void,
		private readonly isActive: () => boolean,
	) {
		this.url = new URL(settings.url);
		this.healthUrl = new URL(settings.healthPath, this.url);
		this.schedule(0);
	}

	get isUnhealthy(): boolean {
		return this.health === "unhealthy";
	}

	get unhealthyReason(): string {
		return this.lastError ?? "it has not been checked yet";
	}

	/** Checks now, or waits for the check that is under way. */
	check(): Promise<Health> {
		this.checking ??= checkHealth(this.healthUrl, this.healthCheck.timeoutMs).then((failure) => {
			this.checking = undefined;
			this.note(failure);
			return this.health;
		});
		return this.checking;
	}

	/** Whether it is healthy by its last check, or by one that begins now. */
	async confirmHealthy(): Promise<boolean> {
		if (!this.isHealthy) {
			// The check under way may have been answered before this call.
			await this.checking;
		}
		return this.isHealthy || (await this.check()) === "healthy";
	}

	private get isHealthy(): boolean {
		return this.health === "healthy";
	}

	/** A request found nobody listening: the target is unhealthy until a check says otherwise. */
	markRefused(reason: string): void {
		this.note({ reason, refused: true });
	}

	private note(failure: HealthFailure | undefined): void {
		if (failure === undefined) {
			this.failuresInARow = 0;
			this.turn("healthy", null);
			return;
		}
		this.failuresInARow += 1;
		this.lastError = failure.reason;
		const { failures, activeFailures } = this.healthCheck;
		// A target that has never been healthy needs no second failure to be known as unhealthy.
		const doubtful =
			this.health === "healthy" && this.failuresInARow < (this.isActive() ? activeFailures : failures);
		if (failure.refused || !doubtful) {
			this.turn("unhealthy", failure.reason);
		}
	}

	private turn(health: Health, reason: string | null): void {
		if (health !== this.health && !this.closed) {
			this.health = health;
			this.since = new Date();
			this.onHealth(this, health, reason);
		}
	}

	private schedule(delayMs: number): void {
		this.timer = setTimeout(async () => {
			await this.check();
			if (!this.closed) {
				this.schedule(this.healthCheck.intervalMs);
			}
		}, delayMs);
	}

	record(outcome: Outcome, milliseconds: number): void {
		this.counters.record(outcome, milliseconds);
	}

	/** Counts a websocket until it closes; it is cut when the target is removed. */
	adopt(socket: Duplex): void {
		this.webSockets.add(socket);
		socket.once("close", () => this.webSockets.delete(socket));
	}

	/** Ends the checks; websockets are cut, requests in flight end by themselves. */
	close(): void {
		this.closed = true;
		clearTimeout(this.timer);
		for (const socket of this.webSockets) {
			socket.destroy();
		}
	}

	status(): TargetStatus {
		return {
			...this.settings,
			health: this.health,
			since: this.since.toISOString(),
			lastError: this.lastError,
			inFlight: this.flights.count,
			webSockets: this.webSockets.size,
			counters: this.counters.status(),
		};
	}
}
