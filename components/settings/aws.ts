import { runnerAddresses } from "../platform/aws/runner";
import type { Problem } from "./platforms";
import type { Config } from "./schema";
import type { Settings } from "./settings";

/** What platform `aws` needs beside the settings that every platform has. */
export type AwsSettings = Settings & Required<Pick<Settings, keyof typeof awsDefaults | Needed>>;

/** What only the stack's owner can know. */
const NEEDED = {
	awsRegion: "the region, such as eu-central-1",
	awsAccount: "the account that the stack belongs in, so that no other one gets it by a wrong login",
	domainName: "the name that clients use, such as counting.example.com",
	hostedZoneId: "the Route 53 zone that the name is in",
	certificateArn: "the certificate of that name, from ACM in that region",
	serviceImage: "the service's image by its digest, as the registry shows it after a push",
} as const satisfies Partial<Record<keyof Config, string>>;

type Needed = keyof typeof NEEDED;

/** What is there for each key that the stack file leaves out. */
export const awsDefaults = {
	networkZones: 2,
	clientCidrs: ["0.0.0.0/0"],
	databaseVersion: "18",
	databaseClass: "db.m7g.large",
	catalogClass: "db.t4g.small",
	databaseStorageGigabytes: 100,
	databaseMaxStorageGigabytes: 1000,
	databaseMultiZone: true,
	databaseCertificates: "certificates/rds.pem",
	serviceTasks: 2,
	serviceCpu: 512,
	serviceMemory: 1024,
	serviceArchitecture: "X86_64",
	logRetentionDays: 90,
} satisfies Partial<Config>;

/**
 * Completes the settings of a stack on platform `aws`.
 *
 * @throws Error when one is missing that {@link awsProblems} would have found
 */
export function awsSettings(settings: Settings): AwsSettings {
	const keys = Object.keys(NEEDED) as Needed[];
	const missing = keys.filter((key) => settings[key] === undefined);
	if (missing.length > 0) {
		throw new Error(`a stack on platform aws cannot be without ${missing.join(", ")}`);
	}
	return { ...awsDefaults, ...(settings as Settings & Required<Pick<Settings, Needed>>) };
}

/**
 * The shortest bake in seconds: CloudWatch counts by whole minutes and is one to two minutes behind, and an empty watch
 * proves nothing.
 */
const SHORTEST_BAKE = 240;

/** What stands against a stack on platform `aws`. */
export function awsProblems(settings: Partial<Config>, given: readonly string[]): Problem[] {
	const { strategy, sslMode, bakeSeconds, serviceImage, serverPerColor } = settings;
	const problems: Problem[] = [];
	if (strategy === "in-place") {
		problems.push(["strategy", "found in-place with platform aws; allowed: blue-green"]);
	}
	for (const [key, what] of Object.entries(NEEDED) as [Needed, string][]) {
		if (!given.includes(key)) {
			problems.push([key, `found nothing with platform aws; allowed: ${what}`]);
		}
	}
	if (serviceImage !== undefined && !/@sha256:[0-9a-f]{64}$/.test(serviceImage)) {
		problems.push([
			"serviceImage",
			`found ${serviceImage} with platform aws; allowed: an image by its digest, since a tag may mean another image tomorrow`,
		]);
	}
	if (sslMode !== undefined && sslMode !== "verify-full") {
		problems.push([
			"sslMode",
			`found ${sslMode} with platform aws; allowed: verify-full, since rows and passwords cross a network`,
		]);
	}
	if (serverPerColor === false) {
		problems.push([
			"serverPerColor",
			"found false with platform aws; allowed: true, since one colour's load and failure must not be the other's",
		]);
	}
	if (bakeSeconds !== undefined && bakeSeconds > 0 && bakeSeconds < SHORTEST_BAKE) {
		problems.push([
			"bakeSeconds",
			`found ${bakeSeconds} with platform aws; allowed: 0, or at least ${SHORTEST_BAKE}, since CloudWatch counts by whole minutes and is up to two behind`,
		]);
	}
	return [
		...problems,
		...networkProblems(settings, given),
		...runnerProblems(settings, given),
		...sizeProblems(settings),
	];
}

function networkProblems(settings: Partial<Config>, given: readonly string[]): Problem[] {
	const { publicSubnetIds, privateSubnetIds } = settings;
	const problems: Problem[] = [];
	const there = ["vpcId", "publicSubnetIds", "privateSubnetIds"] as const;
	const missing = there.filter((key) => !given.includes(key));
	if (given.includes("networkCidr") && missing.length < there.length) {
		const extra = there.filter((key) => given.includes(key));
		problems.push([
			"networkCidr",
			`found it with ${extra.join(" and ")}; allowed: one network, either to be made (networkCidr) or there already`,
		]);
	} else if (!given.includes("networkCidr") && missing.length > 0) {
		problems.push([
			"networkCidr",
			missing.length === there.length
				? "found nothing with platform aws; allowed: the addresses of a network to be made, such as 10.20.0.0/16, or else vpcId, publicSubnetIds and privateSubnetIds of one that is there"
				: `found nothing, and no ${missing.join(" and no ")}; allowed: all three of a network that is there`,
		]);
	}
	for (const [key, ids] of Object.entries({ publicSubnetIds, privateSubnetIds })) {
		if (ids?.length === 1) {
			problems.push([
				key as "publicSubnetIds" | "privateSubnetIds",
				`found ${ids.join()} alone; allowed: subnets in at least two zones`,
			]);
		}
	}
	return problems;
}

function runnerProblems(settings: Partial<Config>, given: readonly string[]): Problem[] {
	const { runnerCidrs } = settings;
	if (given.includes("runnerCidrs") && runnerCidrs === undefined) {
		return [];
	}
	const runner = runnerAddresses(settings);
	if (given.includes("networkCidr") && given.includes("runnerSecurityGroupId")) {
		return [
			[
				"runnerSecurityGroupId",
				"found it with networkCidr; allowed: only in a network that is there, since no group is in one that is still to be made: give the runner's addresses in that network in runnerCidrs",
			],
		];
	}
	const found = runnerCidrs === undefined ? "nothing" : `${runnerCidrs.join(", ")} alone`;
	const problems: Problem[] = [];
	if (runner.private.length === 0 && !given.includes("runnerSecurityGroupId")) {
		problems.push([
			"runnerSecurityGroupId",
			"found nothing with platform aws; allowed: the security group of the machine that deployments run on, or its private addresses in runnerCidrs, since it must reach the databases",
		]);
	}
	if (runner.public.length === 0 && !runner.behindGateways) {
		problems.push([
			"runnerCidrs",
			`found ${found} with platform aws; allowed: also the address that the machine has on the Internet which deployments run on, such as 198.51.100.24/32 of its NAT gateway, since the load balancer has public addresses only and sees that one`,
		]);
	}
	return problems;
}

/** Megabytes that Fargate has with each CPU, from its documentation (task CPU and memory). */
const MEMORY_OF: Record<number, number[]> = {
	256: [512, 1024, 2048],
	512: steps(1024, 4096, 1024),
	1024: steps(2048, 8192, 1024),
	2048: steps(4096, 16_384, 1024),
	4096: steps(8192, 30_720, 1024),
	8192: steps(16_384, 61_440, 4096),
	16384: steps(32_768, 122_880, 8192),
};

function steps(from: number, to: number, step: number): number[] {
	return Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);
}

function sizeProblems(settings: Partial<Config>): Problem[] {
	const { serviceCpu, serviceMemory, databaseStorageGigabytes, databaseMaxStorageGigabytes } = {
		...awsDefaults,
		...settings,
	};
	const problems: Problem[] = [];
	const memory = MEMORY_OF[serviceCpu];
	if (memory === undefined) {
		problems.push([
			"serviceCpu",
			`found ${serviceCpu}; allowed: one of ${Object.keys(MEMORY_OF).join(", ")}`,
		]);
	} else if (!memory.includes(serviceMemory)) {
		problems.push([
			"serviceMemory",
			`found ${serviceMemory} with serviceCpu ${serviceCpu}; allowed: one of ${memory.join(", ")} (megabytes)`,
		]);
	}
	if (databaseMaxStorageGigabytes < databaseStorageGigabytes) {
		problems.push([
			"databaseMaxStorageGigabytes",
			`found ${databaseMaxStorageGigabytes} with databaseStorageGigabytes ${databaseStorageGigabytes}; allowed: at least that`,
		]);
	}
	return problems;
}
