import * as pulumi from "@pulumi/pulumi";

/** A resource as a program has declared it. */
export interface Declared {
	type: string;
	name: string;
	inputs: Record<string, unknown>;
	/** The names of what it waits for, sorted. */
	waitsFor: string[];
	/** Names of inputs whose changes are not its declaration's business. */
	ignores: string[];
}

/** What the SDK sends to register a resource, as far as it is looked at here. */
interface Registration {
	getType(): string;
	getName(): string;
	getDependenciesList(): string[];
	getIgnorechangesList(): string[];
}

export const TAGS = { Project: "camera-counting", Stack: "production" };

/** What a program declares on a stack that has nothing yet, with a region that has three zones. */
export async function declaredBy(program: () => unknown): Promise<Declared[]> {
	const declared: Declared[] = [];
	await pulumi.runtime.setMocks(
		{
			newResource: ({ type, name, inputs }) => {
				declared.push({ type, name, inputs, waitsFor: [], ignores: [] });
				return { id: `${name}-id`, state: { ...inputs, ...answered(type, name) } };
			},
			call: ({ token }) => asked(token),
		},
		"camera-counting",
		"production",
		false,
	);
	const sent = watchRegistrations();
	await new Promise<void>((resolve, reject) => {
		try {
			const result: pulumi.Output<unknown> = pulumi.output(program());
			result.apply(() => resolve());
		} catch (error) {
			reject(error);
		}
	});
	await pulumi.runtime.disconnect();
	return declared.map((each) => ({ ...each, ...sent.get(`${each.type} ${each.name}`) }));
}

/** What AWS adds to a new resource, as far as others need it. */
function answered(type: string, name: string): Record<string, unknown> {
	const arn = { arn: `arn:aws:mock:${name}` };
	switch (type) {
		case "pulumi-nodejs:dynamic/database:GeneratedPassword":
			return { value: `generated-for-${name}` };
		case "aws:rds/instance:Instance":
			return { ...arn, address: `${name}.rds.example`, port: 5432 };
		case "aws:rds/parameterGroup:ParameterGroup":
			return { ...arn, name };
		case "aws:lb/loadBalancer:LoadBalancer":
			return { ...arn, arnSuffix: `app/${name}/1`, dnsName: `${name}.elb.example`, zoneId: "ELB" };
		case "aws:secretsmanager/secretVersion:SecretVersion":
			return { ...arn, versionId: `version-of-${name}` };
		case "aws:ecs/taskDefinition:TaskDefinition":
			return { arn: `arn:aws:mock:${name}:7`, revision: 7 };
		default:
			return arn;
	}
}

function asked(token: string): Record<string, unknown> {
	switch (token) {
		case "aws:index/getAvailabilityZones:getAvailabilityZones":
			return { names: ["eu-central-1a", "eu-central-1b", "eu-central-1c"] };
		case "aws:index/getCallerIdentity:getCallerIdentity":
			return { accountId: "123456789012" };
		case "aws:index/getPartition:getPartition":
			return { partition: "aws" };
		default:
			throw new Error(`the program asks AWS for ${token}`);
	}
}

/** Mocks are not told what a resource waits for: it is read from what the SDK sends. */
function watchRegistrations(): Map<string, Pick<Declared, "waitsFor" | "ignores">> {
	const found = new Map<string, Pick<Declared, "waitsFor" | "ignores">>();
	const monitor = pulumi.runtime.getMonitor() as unknown as {
		registerResource(request: Registration, ...rest: unknown[]): unknown;
	};
	const register = monitor.registerResource.bind(monitor);
	monitor.registerResource = (request, ...rest) => {
		const names = request.getDependenciesList().map((urn) => urn.split("::").at(-1) ?? "");
		found.set(`${request.getType()} ${request.getName()}`, {
			waitsFor: [...new Set(names)].sort(),
			ignores: request.getIgnorechangesList(),
		});
		return register(request, ...rest);
	};
	return found;
}

/** How many there are of each type of AWS. */
export function counted(declared: readonly Declared[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { type } of declared.filter((each) => each.type.startsWith("aws:"))) {
		const short = type.split(":").at(-1) ?? type;
		counts[short] = (counts[short] ?? 0) + 1;
	}
	return counts;
}

/** The one resource of AWS of that name and type. */
export function the(declared: readonly Declared[], type: string, name: string): Declared {
	const found = declared.filter(
		(each) => each.type.startsWith("aws:") && each.type.endsWith(`:${type}`) && each.name === name,
	);
	if (found.length !== 1) {
		throw new Error(`${found.length} resources are a ${type} named ${name}`);
	}
	return found[0]!;
}

/** Those that AWS lets be tagged and that are not; types that have no tags are left out. */
export function untagged(declared: readonly Declared[], tags: Record<string, string>): string[] {
	const cannot = [
		"Alias",
		"Record",
		"RouteTableAssociation",
		"RolePolicy",
		"RolePolicyAttachment",
		"SecretVersion",
		"TopicSubscription",
	];
	return declared
		.filter(({ type }) => type.startsWith("aws:") && !cannot.some((one) => type.endsWith(`:${one}`)))
		.filter(({ inputs }) => {
			const own = (inputs.tags ?? {}) as Record<string, string>;
			return Object.entries(tags).some(([key, value]) => own[key] !== value);
		})
		.map(({ type, name }) => `${type} ${name}`);
}
