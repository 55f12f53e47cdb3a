import { BlockList } from "node:net";
import { RunError } from "@pulumi/pulumi";

/** What is said of the machine that deployments run on. */
export interface RunnerSettings {
	/** Addresses that it has, on the Internet and in the network. */
	runnerCidrs?: readonly string[] | undefined;
	/** Addresses of a network that the stack makes. */
	networkCidr?: string | undefined;
}

/** By which addresses a deployment reaches what it must reach. */
export interface RunnerAddresses {
	/** To the load balancer: its name means public addresses, from inside the network too. */
	public: string[];
	/** To the databases, which have private addresses only. */
	private: string[];
	/** Whether it leaves a network of the stack's own making by that network's NAT gateways. */
	behindGateways: boolean;
}

/** RFC 1918 and RFC 6598: no packet on the Internet comes from there. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** Tells a runner's public addresses from its private ones. */
export function runnerAddresses({ runnerCidrs = [], networkCidr }: RunnerSettings): RunnerAddresses {
	const isPrivate = (cidr: string) => PRIVATE.some((network) => covers(network, cidr));
	const inside = runnerCidrs.filter(isPrivate);
	return {
		public: runnerCidrs.filter((cidr) => !isPrivate(cidr)),
		private: inside,
		behindGateways: networkCidr !== undefined && inside.some((cidr) => covers(networkCidr, cidr)),
	};
}

/**
 * The address of a NAT gateway that is let in by a rule of its own.
 *
 * @param named addresses that are let in as settings name them, by the setting
 * @throws RunError when it is among them: AWS refuses a second rule for the same address
 */
export function unnamed(gateway: string, named: Record<string, readonly string[]>): string {
	const settings = Object.keys(named).filter((setting) => named[setting]?.includes(gateway));
	if (settings.length > 0) {
		throw new RunError(
			`${settings.join(", ")}: ${gateway} is the stack's own NAT gateway, which is let in without being named: take it out`,
		);
	}
	return gateway;
}

/** Whether every address of one network is in another one too. */
export function covers(outer: string, inner: string): boolean {
	const [network, address] = [parse(outer), parse(inner)];
	const addresses = new BlockList();
	addresses.addSubnet(network.address, network.bits);
	return network.bits <= address.bits && addresses.check(address.address);
}

function parse(cidr: string): { address: string; bits: number } {
	const [address = "", bits = ""] = cidr.split("/");
	return { address, bits: Number(bits) };
}
