import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../platform/aws/firewall";
import { shortName } from "../../platform/aws/names";
import type { Color } from "../../replication/node";
import { declareTargetGroup } from "./target-group";

export interface LoadBalancerArgs {
	/** The network. */
	vpcId: pulumi.Input<string>;
	/** Subnets of the load balancer, in at least two zones. */
	subnetIds: pulumi.Input<pulumi.Input<string>[]>;
	/** Who may reach it. */
	securityGroupId: pulumi.Input<string>;
	/** The name that clients use, such as `counting.example.com`. */
	domainName: pulumi.Input<string>;
	/** The Route 53 zone that the name is in. */
	zoneId: pulumi.Input<string>;
	/** The certificate of that name, in the load balancer's region. */
	certificateArn: pulumi.Input<string>;
	/** Seconds that requests in flight have before a task that leaves is cut off. */
	deregistrationDelaySeconds: pulumi.Input<number>;
	/** A bucket for its access logs, which lets the load balancers of the region write. */
	accessLogsBucket?: pulumi.Input<string>;
	/** Refuses its deletion. */
	protect: boolean;
	/** Begins the names of what is made. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

const TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/** Seconds that a connection may be silent. */
const IDLE_SECONDS = 60;
const LONGEST_NAME = 32;

/** The one address that clients use, with a group of targets for each colour. */
export class LoadBalancer extends pulumi.ComponentResource {
	readonly loadBalancer: aws.lb.LoadBalancer;
	/** The listener that clients reach; its default action is the router's. */
	readonly listener: aws.lb.Listener;
	readonly targetGroups: Record<Color, aws.lb.TargetGroup>;
	/** Their ARNs, once a listener sends requests there: before that ECS refuses to put tasks into them. */
	readonly targets: Record<Color, pulumi.Output<string>>;
	/** Where clients come. */
	readonly url: pulumi.Output<string>;
	/** Where the deployment reaches each colour, whichever has the traffic. */
	readonly testUrls: Record<Color, pulumi.Output<string>>;

	constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:traffic:LoadBalancer", name, {}, opts);
		const { vpcId, domainName, deregistrationDelaySeconds, prefix, tags } = args;
		this.loadBalancer = this.declareLoadBalancer(name, args);
		const group = (color: Color) =>
			declareTargetGroup(
				`${name}-${color}`,
				{ vpcId, groupName: nameOf(prefix, color), deregistrationDelaySeconds, tags },
				this,
			);
		this.targetGroups = { blue: group("blue"), green: group("green") };

		this.listener = this.encrypted(
			`${name}-https`,
			args,
			PORTS.https,
			{
				type: "fixed-response",
				fixedResponse: {
					statusCode: "503",
					contentType: "application/json",
					messageBody: JSON.stringify({ error: "no release is live yet" }),
				},
			},
			// Which colour has the traffic is the cutover's to say, and not for the next update to put back.
			["defaultActions"],
		);
		new aws.lb.Listener(
			`${name}-http`,
			{
				loadBalancerArn: this.loadBalancer.arn,
				port: PORTS.http,
				protocol: "HTTP",
				defaultActions: [
					{
						type: "redirect",
						redirect: { protocol: "HTTPS", port: String(PORTS.https), statusCode: "HTTP_301" },
					},
				],
				tags,
			},
			{ parent: this },
		);
		const tests = {
			blue: this.testListener(name, args, "blue"),
			green: this.testListener(name, args, "green"),
		};
		const targets = (color: Color) =>
			pulumi.all([this.targetGroups[color].arn, tests[color].id]).apply(([arn]) => arn);
		this.targets = { blue: targets("blue"), green: targets("green") };
		const record = new aws.route53.Record(
			`${name}-name`,
			{
				zoneId: args.zoneId,
				name: domainName,
				type: "A",
				aliases: [
					{
						name: this.loadBalancer.dnsName,
						zoneId: this.loadBalancer.zoneId,
						evaluateTargetHealth: false,
					},
				],
			},
			{ parent: this },
		);
		const ready = pulumi.all([record.id, tests.blue.id, tests.green.id]);
		this.url = pulumi.all([domainName, record.id]).apply(([domain]) => `https://${domain}`);
		const testUrl = (color: Color) =>
			pulumi.all([domainName, ready]).apply(([domain]) => `https://${domain}:${PORTS.test[color]}`);
		this.testUrls = { blue: testUrl("blue"), green: testUrl("green") };
		this.registerOutputs({ url: this.url });
	}

	private testListener(name: string, args: LoadBalancerArgs, color: Color): aws.lb.Listener {
		return this.encrypted(`${name}-test-${color}`, args, PORTS.test[color], {
			type: "forward",
			targetGroupArn: this.targetGroups[color].arn,
		});
	}

	private declareLoadBalancer(name: string, args: LoadBalancerArgs): aws.lb.LoadBalancer {
		const { subnetIds, securityGroupId, accessLogsBucket, protect, prefix, tags } = args;
		return new aws.lb.LoadBalancer(
			name,
			{
				name: nameOf(prefix),
				loadBalancerType: "application",
				internal: false,
				subnets: subnetIds,
				securityGroups: [securityGroupId],
				dropInvalidHeaderFields: true,
				idleTimeout: IDLE_SECONDS,
				enableDeletionProtection: protect,
				...(accessLogsBucket !== undefined && {
					accessLogs: { bucket: accessLogsBucket, prefix, enabled: true },
				}),
				tags,
			},
			{ parent: this },
		);
	}

	private encrypted(
		name: string,
		{ certificateArn, tags }: LoadBalancerArgs,
		port: number,
		action: aws.types.input.lb.ListenerDefaultAction,
		ignoreChanges: string[] = [],
	): aws.lb.Listener {
		return new aws.lb.Listener(
			name,
			{
				loadBalancerArn: this.loadBalancer.arn,
				port,
				protocol: "HTTPS",
				sslPolicy: TLS_POLICY,
				certificateArn,
				defaultActions: [action],
				tags,
			},
			{ parent: this, ignoreChanges },
		);
	}
}

/** A name that load balancers and their groups can have. */
function nameOf(prefix: string, suffix?: string): string {
	const end = suffix === undefined ? "" : `-${suffix}`;
	return `${shortName(prefix, LONGEST_NAME - end.length)}${end}`;
}
