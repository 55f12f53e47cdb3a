import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { covers, unnamed } from "./runner";

/** The ports of a stack on AWS. */
export const PORTS = {
	http: 80,
	https: 443,
	/** Where the deployment reaches each colour, whichever has the traffic. */
	test: { blue: 8443, green: 8444 },
	service: 8080,
	database: 5432,
} as const;

export interface FirewallArgs {
	/** The network. */
	vpcId: pulumi.Input<string>;
	/** Addresses that clients come from. */
	clientCidrs: string[];
	/** Addresses that the deployment has on the Internet: by them it reaches the load balancer. */
	runnerPublicCidrs: string[];
	/** Those of the NAT gateways that it leaves the stack's own network by, none where it does not. */
	gatewayCidrs?: pulumi.Input<string>[];
	/** Addresses that the deployment has in the network: by them it reaches the databases. */
	runnerPrivateCidrs: string[];
	/** Security group of the machine that the deployment runs on: it stands for that machine's private addresses. */
	runnerSecurityGroupId?: pulumi.Input<string>;
	/** Begins the names of the security groups. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** Where requests come from, with what tells its rule from others of the same purpose. */
type Source = { called?: string } & (
	| { cidrIpv4: pulumi.Input<string> }
	| { referencedSecurityGroupId: pulumi.Input<string> }
);

const ANYWHERE = "0.0.0.0/0";

/** Called by what they are: by its place in the list a rule would take over the addresses of one that still has them. */
function addresses(cidrs: readonly string[]): Source[] {
	return cidrs.map((cidrIpv4) => ({ cidrIpv4, called: cidrIpv4.replace("/", "-") }));
}

/**
 * Who reaches whom: clients the load balancer, it the services, they the databases; the deployment all but the services.
 * A rule that names a security group matches the private addresses of its members, and so never what comes to the load
 * balancer, which has public addresses only.
 */
export class Firewall extends pulumi.ComponentResource {
	readonly loadBalancer: aws.ec2.SecurityGroup;
	readonly service: aws.ec2.SecurityGroup;
	readonly database: aws.ec2.SecurityGroup;
	/** The groups' ids, once all rules are there: whoever is in one of them needs to reach others and be reached. */
	readonly ids: Record<"loadBalancer" | "service" | "database", pulumi.Output<string>>;
	private readonly rules: pulumi.Output<string>[] = [];
	private readonly tags: Record<string, string>;

	/** @throws Error when the deployment would not reach the databases or the load balancer */
	constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:platform:Firewall", name, {}, opts);
		const { vpcId, clientCidrs, runnerPublicCidrs, runnerPrivateCidrs, runnerSecurityGroupId } = args;
		const { gatewayCidrs = [], prefix, tags } = args;
		this.tags = tags;
		const group = (what: string, description: string) =>
			new aws.ec2.SecurityGroup(
				`${name}-${what}`,
				{
					vpcId,
					name: `${prefix}-${what}`,
					description,
					// Rules are resources of their own: a group's inline ones would take those away.
					revokeRulesOnDelete: true,
					tags: { ...tags, Name: `${prefix}-${what}` },
				},
				{ parent: this },
			);
		this.loadBalancer = group("load-balancer", "Clients reach the load balancer");
		this.service = group("service", "The load balancer reaches the services");
		this.database = group("database", "Services, servers and the deployment reach the databases");

		const runner: Source[] = [
			...addresses(runnerPrivateCidrs),
			...(runnerSecurityGroupId === undefined ? [] : [{ referencedSecurityGroupId: runnerSecurityGroupId }]),
		];
		if (runner.length === 0) {
			throw new Error(
				"the deployment must reach the databases: give runnerPrivateCidrs or runnerSecurityGroupId",
			);
		}
		if (runnerPublicCidrs.length + gatewayCidrs.length === 0) {
			throw new Error("the deployment must reach the load balancer: give runnerPublicCidrs or gatewayCidrs");
		}
		const isClient = (cidr: string) => clientCidrs.some((clients) => covers(clients, cidr));
		const named = { clientCidrs, runnerCidrs: runnerPublicCidrs };
		const gateways = gatewayCidrs.map((cidr, index) => ({
			cidrIpv4: pulumi.output(cidr).apply((own) => unnamed(own, named)),
			called: `gateway-${index + 1}`,
		}));
		const publicly = [...addresses(runnerPublicCidrs), ...gateways];
		const watching = [
			...addresses(runnerPublicCidrs.filter((cidr) => !isClient(cidr))),
			// Whether their addresses are among the clients' is known too late.
			...(isClient(ANYWHERE) ? [] : gateways),
		];
		const of = ({ id }: aws.ec2.SecurityGroup): Source => ({ referencedSecurityGroupId: id });
		const { loadBalancer, service, database } = this;
		this.allow(`${name}-clients`, loadBalancer, addresses(clientCidrs), PORTS.https);
		this.allow(`${name}-clients-http`, loadBalancer, addresses(clientCidrs), PORTS.http);
		this.allow(`${name}-watch`, loadBalancer, watching, PORTS.https);
		this.allow(`${name}-test-blue`, loadBalancer, publicly, PORTS.test.blue);
		this.allow(`${name}-test-green`, loadBalancer, publicly, PORTS.test.green);
		this.allow(`${name}-forwarded`, service, [of(loadBalancer)], PORTS.service);
		this.allow(`${name}-queries`, database, [of(service)], PORTS.database);
		this.allow(`${name}-deployment`, database, runner, PORTS.database);
		// Each colour's server subscribes to the other's.
		this.allow(`${name}-replication`, database, [of(database)], PORTS.database);

		this.let(`${name}-forwards`, loadBalancer, of(service), PORTS.service);
		this.let(`${name}-asks`, service, of(database), PORTS.database);
		// Images, secrets and logs come and go by AWS's public addresses.
		this.let(`${name}-aws`, service, { cidrIpv4: ANYWHERE }, PORTS.https);
		this.let(`${name}-subscribes`, database, of(database), PORTS.database);
		const once = ({ id }: aws.ec2.SecurityGroup) =>
			pulumi.all([id, ...this.rules]).apply(([first]) => first!);
		this.ids = { loadBalancer: once(loadBalancer), service: once(service), database: once(database) };
		this.registerOutputs({});
	}

	private allow(name: string, into: aws.ec2.SecurityGroup, from: readonly Source[], port: number): void {
		for (const { called, ...source } of from) {
			const rule = new aws.vpc.SecurityGroupIngressRule(
				called === undefined ? name : `${name}-${called}`,
				{
					...source,
					securityGroupId: into.id,
					ipProtocol: "tcp",
					fromPort: port,
					toPort: port,
					tags: this.tags,
				},
				{ parent: this },
			);
			this.rules.push(rule.id);
		}
	}

	private let(name: string, outOf: aws.ec2.SecurityGroup, to: Source, port: number): void {
		const rule = new aws.vpc.SecurityGroupEgressRule(
			name,
			{
				...to,
				securityGroupId: outOf.id,
				ipProtocol: "tcp",
				fromPort: port,
				toPort: port,
				tags: this.tags,
			},
			{ parent: this },
		);
		this.rules.push(rule.id);
	}
}
