import type { Logger } from "pino";
import { Admission } from "./admission";
import { Flights } from "./flights";
import type {
	GatewayStatus,
	HoldAnswer,
	HoldRequest,
	ReleaseAnswer,
	RouteAnswer,
	RouteRequest,
	TargetSettings,
	TargetStatus,
} from "./protocol";
import type { GatewayState } from "./state";
import { Target } from "./target";

/** A wish of the platform that cannot be met as things are. */
export class Refusal extends Error {
	override name = "Refusal";

	constructor(
		readonly status: 404 | 409,
		/** A word for programs, as in `target_active`. */
		readonly error: string,
		message: string,
	) {
		super(message);
	}
}

/**
 * Which targets there are and which one gets the requests.
 * A change is saved before it is made, so that what was answered is what a restart finds.
 */
export class Router {
	readonly flights = new Flights();
	readonly admission: Admission;
	private readonly targets = new Map<string, Target>();

	constructor(
		private state: GatewayState,
		private readonly save: (state: GatewayState) => void,
		private readonly log: Logger,
	) {
		for (const [name, settings] of Object.entries(state.targets)) {
			this.targets.set(name, this.open(name, settings));
		}
		this.admission = new Admission(state.maxQueued, (released) =>
			log.warn({ released }, "a hold was not released in time: requests go on to the active target"),
		);
	}

	/** The target of new requests. */
	get active(): Target | undefined {
		return this.state.active === null ? undefined : this.targets.get(this.state.active);
	}

	private open(name: string, settings: TargetSettings): Target {
		const target: Target = new Target(
			name,
			settings,
			this.state.healthCheck,
			({ name }, health, reason) => this.log.info({ target: name, health, reason }, "health changed"),
			() => this.active === target,
		);
		return target;
	}

	private change(state: Partial<GatewayState>): void {
		const next = { ...this.state, ...state };
		this.save(next);
		this.state = next;
	}

	/** Adds or changes a target, and answers after its first check. One that stays the same keeps its counters. */
	async putTarget(name: string, settings: TargetSettings): Promise<TargetStatus> {
		const present = this.targets.get(name);
		if (present?.settings.url === settings.url && present.settings.healthPath === settings.healthPath) {
			return present.status();
		}
		this.change({ targets: { ...this.state.targets, [name]: settings } });
		const target = this.open(name, settings);
		this.targets.set(name, target);
		present?.close();
		this.log.info({ target: name, url: settings.url }, "target set");
		await target.check();
		return target.status();
	}

	/** @throws Refusal when the target does not exist or is the active one. */
	deleteTarget(name: string): void {
		const target = this.find(name);
		if (this.state.active === name) {
			throw new Refusal(409, "target_active", `target ${name} is active: route to another one first`);
		}
		const { [name]: _, ...rest } = this.state.targets;
		this.change({ targets: rest });
		this.targets.delete(name);
		target.close();
		this.log.info({ target: name }, "target removed");
	}

	/**
	 * Sends new requests to another target, from one moment to the next; those in flight end where they are.
	 *
	 * @throws Refusal when the target does not exist, or is not healthy although it has to be.
	 */
	async route({ target: name, requireHealthy, drainTimeoutMs }: RouteRequest): Promise<RouteAnswer> {
		const target = name === null ? undefined : this.find(name);
		if (requireHealthy && target !== undefined && !(await target.confirmHealthy())) {
			throw new Refusal(409, "target_unhealthy", `target ${name} is not healthy: ${target.unhealthyReason}`);
		}
		if (name !== null && this.targets.get(name) !== target) {
			throw new Refusal(409, "target_changed", `target ${name} was changed during the switch: ask again`);
		}
		const previous = this.active;
		const previousName = this.state.active;
		if (name !== previousName) {
			this.change({ active: name });
			this.log.info({ from: previousName, to: name }, "route switched");
		}
		const remaining = previous === target ? 0 : await (previous?.flights.whenIdle(drainTimeoutMs) ?? 0);
		return { active: name, previous: previousName, remaining };
	}

	/** @throws Refusal when a hold is under way. */
	async hold({ timeoutMs, waitForIdleMs }: HoldRequest): Promise<HoldAnswer> {
		const hold = this.admission.hold(timeoutMs);
		if (hold === undefined) {
			const id = this.admission.status().hold?.holdId;
			throw new Refusal(409, "already_holding", `hold ${id} is under way: release it first`);
		}
		this.log.info({ ...hold, inFlight: this.flights.count }, "holding new requests");
		return { ...hold, inFlight: await this.flights.whenIdle(waitForIdleMs) };
	}

	/** @throws Refusal when that hold is not under way (any more). */
	release(holdId: string): ReleaseAnswer {
		const released = this.admission.release(holdId);
		if (released === undefined) {
			const { lastHold } = this.admission.status();
			const why =
				lastHold?.holdId === holdId ? `it has ${lastHold.outcome} at ${lastHold.ended}` : "it is not known";
			throw new Refusal(409, "not_holding", `hold ${holdId} is not under way: ${why}`);
		}
		this.log.info({ holdId, released }, "hold released");
		return { holdId, released };
	}

	private find(name: string): Target {
		const target = this.targets.get(name);
		if (target === undefined) {
			const known = [...this.targets.keys()].join(", ") || "there are none";
			throw new Refusal(404, "target_not_found", `there is no target ${name} (targets: ${known})`);
		}
		return target;
	}

	status(): GatewayStatus {
		return {
			instance: this.state.instance,
			active: this.state.active,
			inFlight: this.flights.count,
			...this.admission.status(),
			targets: Object.fromEntries([...this.targets].map(([name, target]) => [name, target.status()])),
		};
	}

	/** Lets held requests go and ends the health checks and the websockets. */
	close(): void {
		this.admission.stop();
		for (const target of this.targets.values()) {
			target.close();
		}
	}
}
