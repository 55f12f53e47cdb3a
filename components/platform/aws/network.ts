import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { planSubnets } from "./subnets";

export interface NetworkArgs {
	/** Addresses of a network to be made, such as `10.20.0.0/16`; or else one that is there, by the next three. */
	cidr?: string;
	/** Availability zones that a made network spans, 2 to 4. */
	zones?: number;
	/** Whether each zone of a made network has its own way out, so that one zone's failure leaves the others theirs. */
	gatewayPerZone?: boolean;
	/** A network that is there. */
	vpcId?: pulumi.Input<string>;
	/** Its subnets for the load balancer, in at least two zones. */
	publicSubnetIds?: pulumi.Input<string>[];
	/** Its subnets for services and databases, in at least two zones, with a way out. */
	privateSubnetIds?: pulumi.Input<string>[];
	/** Begins the names of what is made. */
	prefix: string;
	/** On everything that is made. */
	tags: Record<string, string>;
}

/** The network that a stack lives in: one that is there, or one made for it. */
export class Network extends pulumi.ComponentResource {
	readonly vpcId: pulumi.Output<string>;
	readonly publicSubnetIds: pulumi.Output<string[]>;
	readonly privateSubnetIds: pulumi.Output<string[]>;
	/** What comes out of a made network's private subnets comes from these; none of a network that was there. */
	readonly gatewayCidrs: pulumi.Output<string>[];

	/** @throws Error unless either `cidr` or all of `vpcId`, `publicSubnetIds` and `privateSubnetIds` are given */
	constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:platform:Network", name, {}, opts);
		const { cidr, vpcId, publicSubnetIds, privateSubnetIds } = args;
		const made = cidr === undefined ? undefined : this.make(name, cidr, args);
		const given = vpcId !== undefined && publicSubnetIds !== undefined && privateSubnetIds !== undefined;
		if (made !== undefined ? vpcId !== undefined : !given) {
			throw new Error(
				"a network is either made or there: give cidr, or vpcId, publicSubnetIds and privateSubnetIds",
			);
		}
		this.vpcId = made?.vpcId ?? pulumi.output(vpcId!);
		this.publicSubnetIds = pulumi.output(made?.publicSubnetIds ?? publicSubnetIds!);
		this.privateSubnetIds = pulumi.output(made?.privateSubnetIds ?? privateSubnetIds!);
		this.gatewayCidrs = made?.gatewayCidrs ?? [];
		this.registerOutputs({ vpcId: this.vpcId });
	}

	private make(name: string, cidr: string, { zones = 2, gatewayPerZone = false, prefix, tags }: NetworkArgs) {
		const child = { parent: this };
		const named = (what: string) => ({ ...tags, Name: `${prefix}-${what}` });
		const plan = planSubnets(cidr, zones);
		const available = aws.getAvailabilityZonesOutput(
			{ state: "available", filters: [{ name: "opt-in-status", values: ["opt-in-not-required"] }] },
			{ parent: this },
		).names;
		const vpc = new aws.ec2.Vpc(
			`${name}-vpc`,
			{ cidrBlock: cidr, enableDnsHostnames: true, enableDnsSupport: true, tags: named("vpc") },
			child,
		);
		const subnets = (kind: "public" | "private") =>
			plan[kind].map(
				(cidrBlock, index) =>
					new aws.ec2.Subnet(
						`${name}-${kind}-${index}`,
						{
							vpcId: vpc.id,
							cidrBlock,
							availabilityZone: available.apply((names) => zoneOf(names, index)),
							mapPublicIpOnLaunch: false,
							tags: named(`${kind}-${index}`),
						},
						child,
					),
			);
		const [publics, privates] = [subnets("public"), subnets("private")];

		const internet = new aws.ec2.InternetGateway(
			`${name}-internet`,
			{ vpcId: vpc.id, tags: named("internet") },
			child,
		);
		const table = (what: string) =>
			new aws.ec2.RouteTable(`${name}-${what}`, { vpcId: vpc.id, tags: named(what) }, child);
		// Routes are resources of their own: a table's inline ones would take away those to other networks.
		const route = (
			what: string,
			{ id }: aws.ec2.RouteTable,
			by: Pick<aws.ec2.RouteArgs, "gatewayId" | "natGatewayId">,
		) =>
			new aws.ec2.Route(
				`${name}-${what}`,
				{ routeTableId: id, destinationCidrBlock: "0.0.0.0/0", ...by },
				child,
			);
		const out = table("public");
		const toInternet = route("public", out, { gatewayId: internet.id });
		this.associate(`${name}-public`, publics, () => out);

		const addresses = publics
			.slice(0, gatewayPerZone ? zones : 1)
			.map(
				(_, index) =>
					new aws.ec2.Eip(
						`${name}-nat-${index}`,
						{ domain: "vpc", tags: named(`nat-${index}`) },
						{ ...child, dependsOn: internet },
					),
			);
		const gateways = addresses.map(
			(address, index) =>
				new aws.ec2.NatGateway(
					`${name}-nat-${index}`,
					{ allocationId: address.id, subnetId: publics[index]!.id, tags: named(`nat-${index}`) },
					child,
				),
		);
		const tables = gateways.map((_, index) => table(`private-${index}`));
		const ways = [
			toInternet.id,
			...gateways.map(({ id }, index) => route(`private-${index}`, tables[index]!, { natGatewayId: id }).id),
			...this.associate(`${name}-private`, privates, (index) => tables[index] ?? tables[0]!),
		];
		return {
			vpcId: vpc.id,
			publicSubnetIds: publics.map(({ id }) => id),
			// Once there is a way out: tasks fetch their image by it.
			privateSubnetIds: privates.map(({ id }) => pulumi.all([id, ...ways]).apply(([first]) => first!)),
			gatewayCidrs: addresses.map(({ publicIp }) => pulumi.interpolate`${publicIp}/32`),
		};
	}

	private associate(
		name: string,
		subnets: readonly aws.ec2.Subnet[],
		tableOf: (index: number) => aws.ec2.RouteTable,
	): pulumi.Output<string>[] {
		return subnets.map(
			(subnet, index) =>
				new aws.ec2.RouteTableAssociation(
					`${name}-${index}`,
					{ subnetId: subnet.id, routeTableId: tableOf(index).id },
					{ parent: this },
				).id,
		);
	}
}

function zoneOf(names: readonly string[], index: number): string {
	const zone = names[index];
	if (zone === undefined) {
		throw new Error(
			`the region has ${names.length} availability zones, of which the network wants ${index + 1}: set fewer`,
		);
	}
	return zone;
}
