/** What a network's addresses are divided into: a public and a private subnet in each availability zone. */
export interface SubnetPlan {
	/** For the load balancer and the NAT gateways. */
	public: string[];
	/** For services and databases. */
	private: string[];
}

const MOST_ZONES = 4;
/** Half of the eight parts are for public subnets, so that a further zone moves none of those that are there. */
const PARTS_AS_BITS = 3;
const LARGEST = 16;
/** A load balancer wants subnets of at least 32 addresses. */
const SMALLEST = 24;

/**
 * Divides a network over availability zones. The same zone gets the same addresses however many there are.
 *
 * @param cidr IPv4 addresses, such as `10.20.0.0/16`
 * @throws Error when the block is no network of that size or the zones are not 2 to 4
 */
export function planSubnets(cidr: string, zones: number): SubnetPlan {
	if (!Number.isInteger(zones) || zones < 2 || zones > MOST_ZONES) {
		throw new Error(`a network over ${zones} availability zones cannot be planned: give 2 to ${MOST_ZONES}`);
	}
	const { address, prefix } = parseNetwork(cidr);
	const smaller = prefix + PARTS_AS_BITS;
	const part = (index: number) => `${dotted(address + index * 2 ** (32 - smaller))}/${smaller}`;
	const indexes = Array.from({ length: zones }, (_, index) => index);
	return {
		public: indexes.map(part),
		private: indexes.map((index) => part(MOST_ZONES + index)),
	};
}

/** Whether a text is a network that {@link planSubnets} can divide. */
export function isDivisibleNetwork(cidr: string): boolean {
	try {
		parseNetwork(cidr);
		return true;
	} catch {
		// The caller says what is allowed.
		return false;
	}
}

function parseNetwork(cidr: string): { address: number; prefix: number } {
	const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
	const [octets, prefix] = [(found ?? []).slice(1, 5).map(Number), Number(found?.[5])];
	const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
	const isNetwork =
		octets.length === 4 &&
		octets.every((octet) => octet < 256) &&
		prefix >= LARGEST &&
		prefix <= SMALLEST &&
		address % 2 ** (32 - prefix) === 0;
	if (!isNetwork) {
		throw new Error(
			`${cidr} is no network that can be divided: give one of /${LARGEST} to /${SMALLEST}, such as 10.20.0.0/16`,
		);
	}
	return { address, prefix };
}

function dotted(address: number): string {
	return [24, 16, 8, 0].map((bits) => Math.floor(address / 2 ** bits) % 256).join(".");
}
