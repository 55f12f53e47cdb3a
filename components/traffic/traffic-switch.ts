import * as pulumi from "@pulumi/pulumi";
import type { HealthSubject } from "../health/subject";
import type { DeploymentContext } from "../pipeline/context";
import { lateProvider } from "../provider/late";
import type { ColorServers } from "../replication/environment";
import type { Color } from "../replication/node";
import type { RouterReference } from "./router-reference";

/** A colour and the service in front of it. */
export interface TrafficSideArgs {
	color: pulumi.Input<Color>;
	generation: pulumi.Input<number>;
	release: pulumi.Input<string>;
	/** What the router calls its service. */
	targetGroup: pulumi.Input<string>;
	/** The service's own address. */
	url: pulumi.Input<string>;
}

export interface TrafficSwitchArgs {
	/** The colour that shall have the traffic. */
	live: TrafficSideArgs;
	/** The other one, to go back to. */
	idle?: TrafficSideArgs;
	/** The router's public address. */
	publicUrl: pulumi.Input<string>;
	/** The router in front of the colours. */
	router: pulumi.Input<RouterReference>;
	/** Where all colours live. A secret. */
	servers: pulumi.Input<ColorServers>;
	/** Deadlines in milliseconds, and what has to be true before a cutover begins. */
	limits: pulumi.Input<{
		catchUpTimeoutMs: number;
		maxLagBytes: number;
		longTransactionMs: number;
		endLongTransactions: boolean;
		healthTimeoutMs: number;
		slotTimeoutMs: number;
		pauseTimeoutMs: number;
	}>;
	/** What a new colour has to stand once it has the traffic. */
	bake: pulumi.Input<{ seconds: number; maxErrorPercent: number; maxLatencyMs: number }>;
	/** Whether this update brings a colour that has not stood its bake yet. */
	isNew: pulumi.Input<boolean>;
	/** When each colour passed its checks; after a new examination the traffic is looked at as well. */
	checkedAt: pulumi.Input<pulumi.Input<string>[]>;
	/** What is checked of the live colour once it has the traffic. A secret. */
	subject: pulumi.Input<HealthSubject>;
	/** Where the deployment is written down. A secret. */
	context: pulumi.Input<DeploymentContext>;
}

const provider = lateProvider("components/traffic/traffic-switch-provider.ts");

/**
 * Which colour has the traffic: reads, writes and requests. A change is one cutover, and for a new colour a bake after
 * it; one that fails leaves the traffic where it was, or sends it back there.
 */
export class TrafficSwitch extends pulumi.dynamic.Resource {
	/** When the traffic last moved, in ISO 8601. */
	declare readonly switchedAt: pulumi.Output<string>;
	/** How long requests waited for that, in milliseconds. */
	declare readonly pauseMs: pulumi.Output<number>;

	constructor(name: string, args: TrafficSwitchArgs, opts?: pulumi.CustomResourceOptions) {
		const { servers, subject, context, ...rest } = args;
		super(
			provider,
			name,
			{
				...rest,
				servers: pulumi.secret(servers),
				subject: pulumi.secret(subject),
				context: pulumi.secret(context),
				switchedAt: undefined,
				pauseMs: undefined,
			},
			opts,
			"traffic",
			"TrafficSwitch",
		);
	}
}
