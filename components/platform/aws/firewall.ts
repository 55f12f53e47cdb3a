import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

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
	/** Addresses that the deployment comes from. */
	runnerCidrs: string[];
	/** Security group of the machine that the deployment runs on. */
	runnerSecurityGroupId?: pulumi.Input<string>;
	/** Begins the names of the security groups. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

type Source = { cidrIpv4: string } | { referencedSecurityGroupId: pulumi.Input<string> };

/** Who reaches whom: clients the load balancer, it the services, they the databases; the deployment all but the services. */
export class Firewall extends pulumi.ComponentResource {
	readonly loadBalancer: aws.ec2.SecurityGroup;
	readonly service: aws.ec2.SecurityGroup;
	readonly database: aws.ec2.SecurityGroup;
	/** The groups' ids, once all rules are there: whoever is in one of them needs to reach others and be reached. */
	readonly ids: Record<"loadBalancer" | "service" | "database", pulumi.Output<string>>;
	private readonly rules: pulumi.Output<string>[] = [];
	private readonly tags: Record<string, string>;

	/** @throws Error when the deployment is said to come from nowhere */
	constructor(name: string, args: FirewallArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:platform:Firewall", name, {}, opts);
		const { vpcId, clientCidrs, runnerCidrs, runnerSecurityGroupId, prefix, tags } = args;
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

		const clients = clientCidrs.map((cidrIpv4) => ({ cidrIpv4 }));
		const runner: Source[] = [
			...runnerCidrs.map((cidrIpv4) => ({ cidrIpv4 })),
			...(runnerSecurityGroupId === undefined ? [] : [{ referencedSecurityGroupId: runnerSecurityGroupId }]),
		];
		if (runner.length === 0) {
			throw new Error("the deployment must reach the databases: give runnerCidrs or runnerSecurityGroupId");
		}
		const of = ({ id }: aws.ec2.SecurityGroup): Source => ({ referencedSecurityGroupId: id });
		const { loadBalancer, service, database } = this;
		this.allow(`${name}-clients`, loadBalancer, clients, PORTS.https);
		this.allow(`${name}-clients-http`, loadBalancer, clients, PORTS.http);
		this.allow(`${name}-test-blue`, loadBalancer, runner, PORTS.test.blue);
		this.allow(`${name}-test-green`, loadBalancer, runner, PORTS.test.green);
		this.allow(`${name}-forwarded`, service, [of(loadBalancer)], PORTS.service);
		this.allow(`${name}-queries`, database, [of(service)], PORTS.database);
		this.allow(`${name}-deployment`, database, runner, PORTS.database);
		// Each colour's server subscribes to the other's.
		this.allow(`${name}-replication`, database, [of(database)], PORTS.database);

		this.let(`${name}-forwards`, loadBalancer, of(service), PORTS.service);
		this.let(`${name}-asks`, service, of(database), PORTS.database);
		// Images, secrets and logs come and go by AWS's public addresses.
		this.let(`${name}-aws`, service, { cidrIpv4: "0.0.0.0/0" }, PORTS.https);
		this.let(`${name}-subscribes`, database, of(database), PORTS.database);
		const once = ({ id }: aws.ec2.SecurityGroup) =>
			pulumi.all([id, ...this.rules]).apply(([first]) => first!);
		this.ids = { loadBalancer: once(loadBalancer), service: once(service), database: once(database) };
		this.registerOutputs({});
	}

	private allow(name: string, into: aws.ec2.SecurityGroup, from: readonly Source[], port: number): void {
		from.forEach((source, index) => {
			const rule = new aws.vpc.SecurityGroupIngressRule(
				index === 0 ? name : `${name}-${index + 1}`,
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
		});
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
