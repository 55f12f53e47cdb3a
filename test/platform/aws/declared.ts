import { counted as countedByType, type Declared, declaredOn } from "../declared";

export const TAGS = { Project: "camera-counting", Stack: "production" };

/** What a program declares, in a region that has three zones. */
export function declaredBy(program: () => unknown): Promise<Declared[]> {
	return declaredOn("production", { answered, asked }, program);
}

/** What AWS adds to a new resource, as far as others need it. */
function answered(type: string, name: string): Record<string, unknown> {
	const arn = { arn: `arn:aws:mock:${name}` };
	switch (type) {
		case "pulumi-nodejs:dynamic/database:GeneratedPassword":
			return { value: `generated-for-${name}` };
		case "aws:kms/key:Key":
			return { ...arn, keyId: `id-of-${name}` };
		case "aws:ec2/eip:Eip":
			return { ...arn, publicIp: `203.0.113.${name.at(-1)}` };
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

/** How many there are of each type of AWS, by its last name. */
export function counted(declared: readonly Declared[]): Record<string, number> {
	const ofAws = declared.filter(({ type }) => type.startsWith("aws:"));
	return countedByType(ofAws.map((each) => ({ ...each, type: each.type.split(":").at(-1) ?? each.type })));
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

/** Who is let into one of the stack's security groups, and by which port, sorted. */
export function ingress(declared: readonly Declared[], group: string): string[] {
	return declared
		.filter(({ type }) => type.endsWith(":SecurityGroupIngressRule"))
		.filter(({ inputs }) => inputs.securityGroupId === `firewall-${group}-id`)
		.map(({ inputs }) => `${inputs.cidrIpv4 ?? inputs.referencedSecurityGroupId}:${inputs.toPort}`)
		.sort();
}

/** Those that AWS lets be tagged and that are not; types that have no tags are left out. */
export function untagged(declared: readonly Declared[], tags: Record<string, string>): string[] {
	const cannot = [
		"Alias",
		"Record",
		"Route",
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
