import assert from "node:assert/strict";
import { once } from "node:events";
import * as pulumi from "@pulumi/pulumi";
import { Firewall, type FirewallArgs } from "../../../components/platform/aws/firewall";
import { Network } from "../../../components/platform/aws/network";
import { type RunnerSettings, runnerAddresses, unnamed } from "../../../components/platform/aws/runner";
import { isDivisibleNetwork, planSubnets } from "../../../components/platform/aws/subnets";
import { counted, declaredBy, ingress, TAGS, the, untagged } from "./declared";

describe("the subnets of a network", () => {
	it("are the same for a zone however many zones there are", () => {
		assert.deepEqual(planSubnets("10.20.0.0/16", 3), {
			public: ["10.20.0.0/19", "10.20.32.0/19", "10.20.64.0/19"],
			private: ["10.20.128.0/19", "10.20.160.0/19", "10.20.192.0/19"],
		});
		assert.deepEqual(planSubnets("10.20.0.0/16", 2).private, ["10.20.128.0/19", "10.20.160.0/19"]);
		assert.deepEqual(planSubnets("192.168.7.0/24", 2), {
			public: ["192.168.7.0/27", "192.168.7.32/27"],
			private: ["192.168.7.128/27", "192.168.7.160/27"],
		});
	});

	for (const cidr of [
		"10.20.0.0/15",
		"10.20.0.0/25",
		"10.20.1.0/16",
		"10.256.0.0/16",
		"10.20.0.0",
		"::/64",
	]) {
		it(`are refused for ${cidr}`, () => {
			assert.throws(
				() => planSubnets(cidr, 2),
				/is no network that can be divided: give one of \/16 to \/24/,
			);
			assert.equal(isDivisibleNetwork(cidr), false);
		});
	}

	for (const zones of [1, 5, 2.5]) {
		it(`are refused over ${zones} zones`, () => {
			assert.throws(() => planSubnets("10.20.0.0/16", zones), /give 2 to 4/);
		});
	}
});

describe("the network on AWS", () => {
	it("is made with a way out for each zone, when it is to have that", async () => {
		const declared = await declaredBy(
			() =>
				new Network("network", {
					...{ cidr: "10.20.0.0/16", zones: 3, gatewayPerZone: true },
					...{ prefix: "counting-production", tags: TAGS },
				}),
		);
		assert.deepEqual(counted(declared), {
			Vpc: 1,
			Subnet: 6,
			InternetGateway: 1,
			RouteTable: 4,
			Route: 4,
			RouteTableAssociation: 6,
			Eip: 3,
			NatGateway: 3,
		});
		const subnet = the(declared, "Subnet", "network-private-2");
		assert.equal(subnet.inputs.availabilityZone, "eu-central-1c");
		assert.equal(subnet.inputs.mapPublicIpOnLaunch, false);
		assert.equal(
			the(declared, "RouteTableAssociation", "network-private-2").inputs.routeTableId,
			"network-private-2-id",
		);
		const { routeTableId, natGatewayId } = the(declared, "Route", "network-private-1").inputs;
		assert.deepEqual([routeTableId, natGatewayId], ["network-private-1-id", "network-nat-1-id"]);
		// Whoever looks after a table's routes itself takes away those to other networks.
		assert.equal(the(declared, "RouteTable", "network-private-1").inputs.routes, undefined);
		assert.deepEqual(the(declared, "Eip", "network-nat-0").waitsFor, ["network-internet"]);
		assert.deepEqual(untagged(declared, TAGS), []);
	});

	it("has one way out for all zones otherwise", async () => {
		const declared = await declaredBy(
			() => new Network("network", { cidr: "10.20.0.0/16", prefix: "counting-dev", tags: TAGS }),
		);
		const { NatGateway, RouteTable, Subnet } = counted(declared);
		assert.deepEqual({ NatGateway, RouteTable, Subnet }, { NatGateway: 1, RouteTable: 2, Subnet: 4 });
		assert.equal(
			the(declared, "RouteTableAssociation", "network-private-1").inputs.routeTableId,
			"network-private-0-id",
		);
	});

	it("declares nothing where there is one already", async () => {
		const given = {
			...{ vpcId: "vpc-1", publicSubnetIds: ["subnet-a", "subnet-b"] },
			...{ privateSubnetIds: ["subnet-c", "subnet-d"], prefix: "counting-production", tags: TAGS },
		};
		assert.deepEqual(counted(await declaredBy(() => new Network("network", given))), {});
		for (const wrong of [
			{ ...given, cidr: "10.20.0.0/16" },
			{ ...given, privateSubnetIds: undefined },
		]) {
			await assert.rejects(
				declaredBy(() => new Network("network", wrong as never)),
				/a network is either made or there: give cidr, or vpcId, publicSubnetIds and privateSubnetIds/,
			);
		}
	});
});

describe("the security groups on AWS", () => {
	const args = {
		...{ vpcId: "vpc-1", clientCidrs: ["0.0.0.0/0"], prefix: "counting-production", tags: TAGS },
		...{ runnerPublicCidrs: ["198.51.100.24/32"], runnerPrivateCidrs: ["10.0.9.0/24"] },
	};

	/** Who is let into a group, and by which port. */
	async function letInto(group: string, changes: Partial<FirewallArgs> = {}): Promise<string[]> {
		const declared = await declaredBy(() => new Firewall("firewall", { ...args, ...changes }));
		assert.deepEqual(untagged(declared, TAGS), []);
		return ingress(declared, group);
	}

	it("let clients reach the load balancer, it the services, they the databases, and the deployment", async () => {
		const declared = await declaredBy(
			() => new Firewall("firewall", { ...args, runnerSecurityGroupId: "sg-runner" }),
		);
		assert.deepEqual(counted(declared), {
			SecurityGroup: 3,
			SecurityGroupIngressRule: 9,
			SecurityGroupEgressRule: 4,
		});
		assert.deepEqual(ingress(declared, "load-balancer"), [
			"0.0.0.0/0:443",
			"0.0.0.0/0:80",
			"198.51.100.24/32:8443",
			"198.51.100.24/32:8444",
		]);
		assert.deepEqual(ingress(declared, "service"), ["firewall-load-balancer-id:8080"]);
		assert.deepEqual(ingress(declared, "database"), [
			"10.0.9.0/24:5432",
			"firewall-database-id:5432",
			"firewall-service-id:5432",
			"sg-runner:5432",
		]);
		assert.deepEqual(untagged(declared, TAGS), []);
	});

	it("let the deployment into the public port where it is no client", async () => {
		const clientCidrs = ["192.0.2.0/25", "198.51.100.0/28"];
		const ofClients = ["192.0.2.0/25:443", "192.0.2.0/25:80", "198.51.100.0/28:443", "198.51.100.0/28:80"];
		const tests = ["198.51.100.24/32:8443", "198.51.100.24/32:8444"];
		assert.deepEqual(await letInto("load-balancer", { clientCidrs }), [
			...ofClients,
			"198.51.100.24/32:443",
			...tests,
		]);
		assert.deepEqual(
			await letInto("load-balancer", {
				...{ clientCidrs, runnerPublicCidrs: ["198.51.100.8/29"] },
				gatewayCidrs: [pulumi.output("203.0.113.0/32")],
			}),
			[
				...ofClients,
				"198.51.100.8/29:8443",
				"198.51.100.8/29:8444",
				"203.0.113.0/32:443",
				"203.0.113.0/32:8443",
				"203.0.113.0/32:8444",
			],
		);
	});

	it("name a rule by the address that it is for, so that one more leaves the others alone", async () => {
		const rules = async (runnerPublicCidrs: string[], runnerPrivateCidrs: string[]) => {
			const changes = { runnerPublicCidrs, runnerPrivateCidrs, clientCidrs: ["192.0.2.0/25"] };
			const gatewayCidrs = [pulumi.output("203.0.113.0/32")];
			const declared = await declaredBy(
				() => new Firewall("firewall", { ...args, ...changes, gatewayCidrs }),
			);
			return new Map(
				declared
					.filter(({ type }) => type.endsWith(":SecurityGroupIngressRule"))
					.map(({ name, inputs }) => [name, inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId]),
			);
		};
		const before = await rules(["198.51.100.24/32"], ["10.0.9.0/24"]);
		const now = await rules(["198.51.100.7/32", "198.51.100.24/32"], ["10.0.8.0/24", "10.0.9.0/24"]);
		assert.deepEqual(
			[...before].filter(([name, source]) => now.get(name) !== source),
			[],
		);
		assert.deepEqual(
			[...now.keys()].filter((name) => !before.has(name)),
			[
				...["watch", "test-blue", "test-green"].map((what) => `firewall-${what}-198.51.100.7-32`),
				"firewall-deployment-10.0.8.0-24",
			],
		);
	});

	it("refuse an address that is let in as a NAT gateway's already", async () => {
		const refused = once(process, "unhandledRejection");
		const twice = { runnerPublicCidrs: ["203.0.113.0/32"], gatewayCidrs: [pulumi.output("203.0.113.0/32")] };
		const rules = await letInto("load-balancer", twice);
		assert.match(
			String((await refused)[0]),
			/runnerCidrs: 203\.0\.113\.0\/32 is the stack's own NAT gateway/,
		);
		assert.deepEqual(rules.slice(2), ["203.0.113.0/32:8443", "203.0.113.0/32:8444"]);
	});

	it("say which settings name a NAT gateway's address", () => {
		const named = { clientCidrs: ["203.0.113.0/32"], runnerCidrs: ["198.51.100.24/32", "203.0.113.0/32"] };
		assert.equal(unnamed("203.0.113.1/32", named), "203.0.113.1/32");
		assert.throws(
			() => unnamed("203.0.113.0/32", named),
			/^Error: clientCidrs, runnerCidrs: 203\.0\.113\.0\/32 is the stack's own NAT gateway, which is let in without being named: take it out$/,
		);
	});

	it("cannot be without a deployment that reaches databases and load balancer", async () => {
		await assert.rejects(
			letInto("database", { runnerPrivateCidrs: [] }),
			/must reach the databases: give runnerPrivateCidrs or runnerSecurityGroupId/,
		);
		await assert.rejects(
			letInto("load-balancer", { runnerPublicCidrs: [] }),
			/must reach the load balancer: give runnerPublicCidrs/,
		);
	});
});

describe("the addresses of a runner on AWS", () => {
	it("are public or private, each for what it reaches", () => {
		const runnerCidrs = ["198.51.100.24/32", "10.30.4.0/24", "172.32.0.0/16", "100.64.0.0/10", "8.0.0.0/6"];
		assert.deepEqual(runnerAddresses({ runnerCidrs }), {
			public: ["198.51.100.24/32", "172.32.0.0/16", "8.0.0.0/6"],
			private: ["10.30.4.0/24", "100.64.0.0/10"],
			behindGateways: false,
		});
	});

	it("are those of a made network's gateways where the runner is in it", () => {
		const networkCidr = "10.20.0.0/16";
		const behind = (settings: RunnerSettings) => runnerAddresses(settings).behindGateways;
		assert.equal(behind({ networkCidr, runnerCidrs: ["10.20.128.0/24"] }), true);
		assert.equal(behind({ networkCidr, runnerCidrs: ["10.30.4.0/24", "198.51.100.24/32"] }), false);
		assert.equal(behind({ runnerCidrs: ["10.20.128.0/24"] }), false);
	});
});
