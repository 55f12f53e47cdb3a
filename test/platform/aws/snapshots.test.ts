import assert from "node:assert/strict";
import type { Declared } from "../declared";
import { counted } from "./declared";
import { production, released } from "./production-stack";
import { assertSnapshot, changesOf, snapshotOf } from "./snapshot";

const OWN_NETWORK = {
	...{ vpcId: undefined, publicSubnetIds: undefined, privateSubnetIds: undefined },
	...{ runnerSecurityGroupId: undefined, runnerCidrs: "198.51.100.24/32, 10.20.128.0/24" },
	networkCidr: "10.20.0.0/16",
};

describe("what the production stack declares on AWS is what is on record", () => {
	let first: Declared[];
	let second: Declared[];

	before(async () => {
		first = await production();
		second = await production({}, released("1.2.0"));
	});

	/** Of a release, how many more there are of each type than with the one before. */
	function more(before: readonly Declared[], now: readonly Declared[]): Record<string, number> {
		const [was, is] = [counted(before), counted(now)];
		const types = [...new Set([...Object.keys(was), ...Object.keys(is)])];
		return Object.fromEntries(
			types.map((type) => [type, (is[type] ?? 0) - (was[type] ?? 0)]).filter(([, count]) => count !== 0),
		);
	}

	it("for the first release", () => {
		assertSnapshot("first-release", snapshotOf(first));
	});

	it("for the second release, which has one more service, and all else as before", () => {
		assertSnapshot("second-release", changesOf(snapshotOf(first), snapshotOf(second)));
		assert.deepEqual(more(first, second), {
			...{ Secret: 2, SecretVersion: 2, Role: 2, RolePolicy: 1, TaskDefinition: 1, Service: 1 },
		});
	});

	it("for the third release, which takes over what the first one had", async () => {
		const third = await production({}, released("1.1.0", "1.2.0"));
		assertSnapshot("third-release", changesOf(snapshotOf(second), snapshotOf(third)));
		assert.deepEqual(more(second, third), {});
	});

	for (const environment of ["staging", "development"]) {
		it(`for the environment ${environment}`, async () => {
			const own = await production({ environment, backupSchedule: "daily" });
			assertSnapshot(environment, changesOf(snapshotOf(first), snapshotOf(own)));
			assert.deepEqual(more(first, own), {});
		});
	}

	it("for a network of its own", async () => {
		const own = await production(OWN_NETWORK);
		assertSnapshot("own-network", changesOf(snapshotOf(first), snapshotOf(own)));
		assert.deepEqual(more(first, own), {
			...{ SecurityGroupIngressRule: 4, Vpc: 1, Subnet: 4, InternetGateway: 1, Eip: 2, NatGateway: 2 },
			...{ Route: 3, RouteTable: 3, RouteTableAssociation: 4 },
		});
	});
});
