import { randomUUID } from "node:crypto";
import { isIP } from "node:net";
import { poll } from "../../local/deadline";
import type { Router, Target, TrafficCounters } from "../routing";
import { type AdminAddress, changeHaproxy, tellHaproxy } from "./haproxy-admin";
import { BUCKETS_MS, SERVER, SLOTS, TABLE } from "./haproxy-config";
import {
	type RouterState,
	readAddress,
	readServers,
	readState,
	type SlotTarget,
	slotEntry,
	writeState,
} from "./haproxy-state";

/** Where nobody answers, until a name has been looked up: an address of documentation (RFC 5737). */
const NOWHERE = "192.0.2.1";
/** Until a name that the network has is known to it too. */
const NAME_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 20;
const IDLE_POLL_MS = 2;

/** HAProxy as a router, told by its runtime API where requests go: it is never reloaded. */
export class HaproxyRouter implements Router {
	/**
	 * @param address of its runtime API
	 * @param stateFile the name of its state map, as HAProxy knows it
	 */
	constructor(
		private readonly address: AdminAddress,
		private readonly stateFile: string,
	) {}

	async active(): Promise<Target | undefined> {
		const { active, targets } = await this.state();
		const found = targets.find(({ slot }) => slot === active);
		return found && { targetGroup: found.targetGroup, url: found.url };
	}

	async answers(): Promise<boolean> {
		const { active } = await this.state();
		const server = active === undefined ? undefined : (await readServers(this.address)).get(active);
		return server?.status.startsWith("UP") ?? false;
	}

	async prepare(target: Target, timeoutMs: number): Promise<void> {
		const state = await this.state();
		const known = state.targets.find(({ targetGroup }) => targetGroup === target.targetGroup);
		const slot = known?.slot ?? (await this.freeSlot(state));
		const server = (await readServers(this.address)).get(slot);
		// Known and in maintenance: the router was started again, and could not place it.
		if (known === undefined || known.url !== target.url || server?.status === "MAINT") {
			const order = Math.max(0, ...state.targets.map((other) => other.order)) + 1;
			const failuresBefore = server?.failures ?? 0;
			await this.place({ ...target, slot, order, failuresBefore });
		}
		const healthy = await poll(timeoutMs, POLL_INTERVAL_MS, async () => {
			const server = (await readServers(this.address)).get(slot);
			return server?.status.startsWith("UP") || undefined;
		});
		if (healthy === undefined) {
			const server = (await readServers(this.address)).get(slot);
			throw new Error(
				`the router finds ${target.targetGroup} unhealthy after ${timeoutMs} ms: ${server?.check || "it has not been checked"}; ` +
					"its container's log shows why, and one that has ended is made anew by an update with --refresh",
			);
		}
	}

	async hold(limits: {
		timeoutMs: number;
		waitForIdleMs: number;
	}): Promise<{ holdId: string; inFlight: number }> {
		const holdId = randomUUID();
		// One that is there is of an update that was killed: nobody else is at work on this router now.
		await this.write("hold", `${holdId}|${limits.timeoutMs}`);
		let inFlight = await this.inFlight();
		await poll(limits.waitForIdleMs, IDLE_POLL_MS, async () => {
			inFlight = await this.inFlight();
			return inFlight === 0 || undefined;
		});
		return { holdId, inFlight };
	}

	async route({ targetGroup }: Target): Promise<void> {
		const { targets } = await this.state();
		const found = targets.find((target) => target.targetGroup === targetGroup);
		if (found === undefined) {
			throw new Error(`the router has no target ${targetGroup}: it was not prepared`);
		}
		await this.write("active", found.slot);
	}

	async release(holdId: string): Promise<void> {
		const { hold } = await this.state();
		if (hold?.startsWith(`${holdId}|`)) {
			await this.write("hold");
		}
	}

	async releaseForsaken(): Promise<void> {
		await this.write("hold");
	}

	async traffic(targetGroup: string): Promise<TrafficCounters> {
		const { targets } = await this.state();
		const found = targets.find((target) => target.targetGroup === targetGroup);
		if (found === undefined) {
			throw new Error(`the router has no target ${targetGroup}`);
		}
		const answer = await tellHaproxy(this.address, `show table ${TABLE} key ${found.slot}`);
		const count = (index: number) => Number(new RegExp(`gpc${index}=(\\d+)`).exec(answer)?.[1] ?? 0);
		const limits = [...BUCKETS_MS, null];
		const counted = (await readServers(this.address)).get(found.slot)?.failures ?? 0;
		const failures = Math.max(counted - found.failuresBefore, count(1));
		return {
			// Those that the service answered, and those that it left without an answer.
			requests: count(0) + failures - count(1),
			failures,
			latencyBuckets: limits.map((leMs, index) => ({ leMs, count: count(index + 2) })),
		};
	}

	async targetsOf(color: string): Promise<Target[]> {
		const { targets } = await this.state();
		return targets
			.filter(({ targetGroup }) => targetGroup === color || targetGroup.startsWith(`${color}@`))
			.sort((one, other) => one.order - other.order)
			.map(({ targetGroup, url }) => ({ targetGroup, url }));
	}

	/** A slot that nothing is in, or else the one whose service has been gone for longest. */
	private async freeSlot({ active, targets }: RouterState): Promise<string> {
		const unused = SLOTS.find((slot) => !targets.some((target) => target.slot === slot));
		if (unused !== undefined) {
			return unused;
		}
		const servers = await readServers(this.address);
		const [gone] = targets
			.filter(({ slot }) => slot !== active && !servers.get(slot)?.status.startsWith("UP"))
			.sort((one, other) => one.order - other.order);
		if (gone === undefined) {
			throw new Error(
				`the router knows ${SLOTS.length} healthy services already, as many as it can: end those that no release uses`,
			);
		}
		return gone.slot;
	}

	private async place(target: SlotTarget): Promise<void> {
		const { hostname, port } = new URL(target.url);
		const server = `${target.slot}/${SERVER}`;
		const change = (what: string) => changeHaproxy(this.address, `set server ${server} ${what}`);
		await change("state maint");
		await tellHaproxy(this.address, `clear table ${TABLE} key ${target.slot}`);
		const isName = isIP(hostname) === 0;
		if (isName && (await readAddress(this.address, target.slot)) === undefined) {
			// The name before is gone, and it takes an address, with its port, only when it has that of the next name.
			await change(`fqdn ${hostname}`);
			await change(`addr ${await this.resolved(target.slot, hostname)} port ${port || "80"}`);
		} else {
			await change(`addr ${isName ? NOWHERE : hostname} port ${port || "80"}`);
			if (isName) {
				await change(`fqdn ${hostname}`);
			}
		}
		await this.write(target.slot, slotEntry(target));
		await change("state ready");
		// It would otherwise count as healthy until checks have failed.
		await change("health down");
	}

	private async resolved(slot: string, name: string): Promise<string> {
		const found = await poll(NAME_TIMEOUT_MS, POLL_INTERVAL_MS, () => readAddress(this.address, slot));
		if (found === undefined) {
			throw new Error(`the router finds no address of ${name} after ${NAME_TIMEOUT_MS} ms: see that it runs`);
		}
		return found;
	}

	private async inFlight(): Promise<number> {
		const servers = await readServers(this.address);
		return [...servers.values()].reduce((sum, server) => sum + server.inFlight, 0);
	}

	private state(): Promise<RouterState> {
		return readState(this.address, this.stateFile);
	}

	private write(key: string, value?: string): Promise<void> {
		return writeState(this.address, this.stateFile, key, value);
	}
}
