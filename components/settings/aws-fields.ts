import { isIPv4 } from "node:net";
import { isDivisibleNetwork } from "../platform/aws/subnets";
import { field, flag, oneOf, pathInProject, wholeNumber } from "./fields";

function matching(allowed: string, pattern: RegExp) {
	return field(allowed, (text) => (pattern.test(text) ? text : undefined));
}

/** Values of one kind, separated by commas, none of them twice. */
function listOf(allowed: string, isOne: (text: string) => boolean) {
	return field(allowed, (text) => {
		const values = text.split(",").map((part) => part.trim());
		return values.every(isOne) && new Set(values).size === values.length ? values : undefined;
	});
}

const addresses = (example: string) =>
	listOf(`IPv4 networks, separated by commas, such as ${example}`, isNetwork);

const subnetIds = () =>
	listOf(
		"subnets in at least two zones, separated by commas, such as subnet-0a1b2c3d, subnet-4e5f6a7b",
		(text) => /^subnet-[0-9a-f]{8,17}$/.test(text),
	);

/** By its first address: AWS takes another one for that as well, and then for a rule that is there already. */
function isNetwork(text: string): boolean {
	const [address = "", bits = "", ...more] = text.split("/");
	if (more.length > 0 || !isIPv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) {
		return false;
	}
	const number = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
	return number % 2 ** (32 - Number(bits)) === 0;
}

/** The days that CloudWatch can keep a log for. */
const LOG_DAYS = [
	"7",
	"14",
	"30",
	"60",
	"90",
	"120",
	"150",
	"180",
	"365",
	"400",
	"545",
	"731",
	"1827",
	"3653",
];

/** Keys of the stack config that platform `aws` alone has. */
export const awsFields = {
	awsRegion: matching("a region, such as eu-central-1", /^[a-z]{2}(-[a-z]+)+-\d$/).optional(),
	awsAccount: matching("an account's twelve digits, such as 123456789012", /^\d{12}$/).optional(),
	networkCidr: field("an IPv4 network of /16 to /24, such as 10.20.0.0/16", (text) =>
		isDivisibleNetwork(text) ? text : undefined,
	).optional(),
	networkZones: wholeNumber(2, 4).optional(),
	vpcId: matching("a network's id, such as vpc-0a1b2c3d4e5f6a7b8", /^vpc-[0-9a-f]{8,17}$/).optional(),
	publicSubnetIds: subnetIds().optional(),
	privateSubnetIds: subnetIds().optional(),
	clientCidrs: addresses("0.0.0.0/0").optional(),
	runnerCidrs: addresses("198.51.100.24/32, 10.30.4.0/24").optional(),
	runnerSecurityGroupId: matching(
		"a security group's id, such as sg-0a1b2c3d4e5f6a7b8",
		/^sg-[0-9a-f]{8,17}$/,
	).optional(),
	domainName: matching(
		"a name, such as counting.example.com",
		/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
	).optional(),
	hostedZoneId: matching(
		"a Route 53 zone's id, such as Z0123456789ABCDEFGHIJ",
		/^Z[A-Z0-9]{5,31}$/,
	).optional(),
	certificateArn: matching(
		"a certificate's ARN, such as arn:aws:acm:eu-central-1:123456789012:certificate/…",
		/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[0-9a-f-]+$/,
	).optional(),
	databaseVersion: matching(
		"a version of PostgreSQL from 18 on that RDS has, such as 18 or 18.4",
		/^(1[89]|[2-9]\d)(\.\d{1,2})?$/,
	).optional(),
	databaseClass: instanceClass("db.m7g.large").optional(),
	catalogClass: instanceClass("db.t4g.small").optional(),
	databaseStorageGigabytes: wholeNumber(20, 65_536, "gigabytes").optional(),
	databaseMaxStorageGigabytes: wholeNumber(20, 65_536, "gigabytes").optional(),
	databaseMultiZone: flag().optional(),
	databaseCertificates: pathInProject().optional(),
	serviceTasks: wholeNumber(1, 100).optional(),
	serviceCpu: wholeNumber(256, 16_384).optional(),
	serviceMemory: wholeNumber(512, 122_880, "megabytes").optional(),
	serviceArchitecture: oneOf(["X86_64", "ARM64"]).optional(),
	logRetentionDays: field(`days that CloudWatch can keep a log: ${LOG_DAYS.join(", ")}`, (text) =>
		LOG_DAYS.includes(text) ? Number(text) : undefined,
	).optional(),
	accessLogsBucket: matching("a bucket's name", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/).optional(),
	alarmEmails: listOf("addresses, separated by commas, such as on-call@example.com", (text) =>
		/^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/.test(text),
	).optional(),
};

function instanceClass(example: string) {
	return matching(`a class of RDS, such as ${example}`, /^db\.[a-z0-9-]+\.[a-z0-9-]+$/);
}
