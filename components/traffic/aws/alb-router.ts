import { randomUUID } from "node:crypto";
import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import {
	type Action,
	DescribeListenersCommand,
	DescribeTargetHealthCommand,
	type ElasticLoadBalancingV2Client,
	ModifyListenerCommand,
	type TargetHealthDescription,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { poll } from "../../local/deadline";
import { COLORS, type Color } from "../../replication/node";
import type { Router, Target, TrafficCounters } from "../routing";
import { answered } from "./answered";
import { countersSince } from "./cloudwatch-counters";

export interface AlbAddress {
	region: string;
	/** The listener that clients reach; its default action says which colour has the traffic. */
	listenerArn: string;
	/** The load balancer as CloudWatch names it, `app/<name>/<id>`. */
	loadBalancer: string;
	/** For each colour its target group and where the deployment reaches it, whichever has the traffic. */
	colors: Record<Color, { targetGroupArn: string; url: string }>;
}

const POLL_INTERVAL_MS = 2000;

/**
 * An Application Load Balancer as the router. A colour is its target group, whatever generation is in it: a new one is
 * never built in the colour that has the traffic. The whole traffic moves at once, since both colours must never be written
 * at the same time.
 *
 * It cannot make requests wait: while writes are refused, services answer them with 503 and `Retry-After`.
 */
export class AlbRouter implements Router {
	/** When it was last told where to send requests, or else made: what was counted before is not this deployment's. */
	private routedAt: Date;

	constructor(
		private readonly address: AlbAddress,
		private readonly balancer: ElasticLoadBalancingV2Client,
		private readonly metrics: CloudWatchClient,
		private readonly clock: () => Date = () => new Date(),
	) {
		this.routedAt = clock();
	}

	/** @throws Error when the listener sends requests to more than one colour, or to somebody else's targets */
	async active(): Promise<Target | undefined> {
		const arns = weighted(await this.defaultAction());
		const colors = arns.map((arn) => this.colorOf(arn));
		if (colors.length > 1) {
			throw new Error(
				`the listener ${this.address.listenerArn} sends requests to ${colors.join(" and ")}: give one of them the weight 0`,
			);
		}
		return colors[0] && this.targetOf(colors[0]);
	}

	async prepare(target: Target, timeoutMs: number): Promise<void> {
		const { targetGroupArn } = this.address.colors[this.colorNamed(target)];
		let targets: TargetHealthDescription[] = [];
		const healthy = await poll(timeoutMs, POLL_INTERVAL_MS, async () => {
			const reply = await answered("the load balancer", () =>
				this.balancer.send(new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn })),
			);
			// Those that leave are of an earlier deployment of the service.
			targets = (reply.TargetHealthDescriptions ?? []).filter(
				({ TargetHealth }) => TargetHealth?.State !== "draining",
			);
			const states = targets.map(({ TargetHealth }) => TargetHealth?.State ?? "");
			return (states.length > 0 && states.every((state) => state === "healthy")) || undefined;
		});
		if (healthy === undefined) {
			throw new Error(
				`the load balancer finds ${target.targetGroup} unhealthy after ${timeoutMs} ms: ${describeTargets(targets)}`,
			);
		}
	}

	async hold(): Promise<{ holdId: string; inFlight: number }> {
		return { holdId: randomUUID(), inFlight: 0 };
	}

	/** @throws Error when the listener does not show what it was told */
	async route(target: Target): Promise<void> {
		const color = this.colorNamed(target);
		await answered("the load balancer", () =>
			this.balancer.send(
				new ModifyListenerCommand({
					ListenerArn: this.address.listenerArn,
					DefaultActions: [
						{
							Type: "forward",
							ForwardConfig: {
								TargetGroups: COLORS.map((each) => ({
									TargetGroupArn: this.address.colors[each].targetGroupArn,
									Weight: each === color ? 100 : 0,
								})),
							},
						},
					],
				}),
			),
		);
		this.routedAt = this.clock();
		const active = await this.active();
		if (active?.targetGroup !== color) {
			throw new Error(
				`the listener was told to send requests to ${color} and sends them to ${active?.targetGroup ?? "nobody"}: ` +
					"see whether somebody else changes it, and run the update again",
			);
		}
	}

	async release(): Promise<void> {}

	async releaseForsaken(): Promise<void> {}

	/**
	 * From the first whole minute after the switch on, as far as CloudWatch has it: it is one to two minutes behind.
	 */
	traffic(targetGroup: string): Promise<TrafficCounters> {
		const { loadBalancer, colors } = this.address;
		const { targetGroupArn } = colors[this.colorNamed({ targetGroup })];
		return countersSince(this.metrics, {
			...{ loadBalancer, targetGroupArn },
			...{ routedAt: this.routedAt, now: this.clock() },
		});
	}

	async targetsOf(color: string): Promise<Target[]> {
		const name = COLORS.find((each) => color.startsWith(`${each}-`));
		return name === undefined ? [] : [this.targetOf(name)];
	}

	private async defaultAction(): Promise<Action | undefined> {
		const { listenerArn } = this.address;
		const reply = await answered("the load balancer", () =>
			this.balancer.send(new DescribeListenersCommand({ ListenerArns: [listenerArn] })),
		);
		return reply.Listeners?.[0]?.DefaultActions?.at(-1);
	}

	private targetOf(color: Color): Target {
		return { targetGroup: color, url: this.address.colors[color].url };
	}

	private colorOf(arn: string): Color {
		const color = COLORS.find((each) => this.address.colors[each].targetGroupArn === arn);
		if (color === undefined) {
			throw new Error(
				`the listener ${this.address.listenerArn} sends requests to ${arn}, which is no target group of this stack: ` +
					"give its default action back to the deployment",
			);
		}
		return color;
	}

	private colorNamed({ targetGroup }: Pick<Target, "targetGroup">): Color {
		const color = COLORS.find((each) => each === targetGroup);
		if (color === undefined) {
			throw new Error(`the load balancer has no target group ${targetGroup}: it has ${COLORS.join(" and ")}`);
		}
		return color;
	}
}

/** The target groups that an action gives requests to. */
function weighted(action: Action | undefined): string[] {
	if (action?.Type !== "forward") {
		return [];
	}
	const groups = action.ForwardConfig?.TargetGroups ?? [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }];
	return groups.flatMap(({ TargetGroupArn, Weight = 1 }) =>
		TargetGroupArn === undefined || Weight === 0 ? [] : [TargetGroupArn],
	);
}

function describeTargets(targets: readonly TargetHealthDescription[]): string {
	return targets.length === 0
		? "it has no targets"
		: targets
				.map(({ Target: target, TargetHealth }) => {
					const why = [TargetHealth?.Reason, TargetHealth?.Description].filter(Boolean).join(", ");
					return `${target?.Id}:${target?.Port} is ${TargetHealth?.State}${why && ` (${why})`}`;
				})
				.join("; ");
}
