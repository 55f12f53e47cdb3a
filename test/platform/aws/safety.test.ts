import assert from "node:assert/strict";
import type { Declared } from "../declared";
import { the } from "./declared";
import { statementsOf } from "./policy";
import { production, released } from "./production-stack";

const PRIVATE_SUBNETS = ["subnet-0a1b2c3d4e5f60003", "subnet-0a1b2c3d4e5f60004"];
const PUBLIC_SUBNETS = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];
const SERVERS = ["server", "server-blue", "server-green"];

describe("the production stack on AWS with two colours", () => {
	let declared: Declared[];

	before(async () => {
		declared = await production({}, released("1.2.0"));
	});

	const ofType = (type: string) =>
		declared.filter((each) => each.type.startsWith("aws:") && each.type.endsWith(`:${type}`));

	it("has the load balancer alone in public subnets, and everybody in a group of security of their own", () => {
		const balancer = the(declared, "LoadBalancer", "router").inputs;
		assert.deepEqual(
			[balancer.subnets, balancer.securityGroups],
			[PUBLIC_SUBNETS, ["firewall-load-balancer-id"]],
		);
		for (const { inputs } of ofType("Service")) {
			assert.deepEqual(inputs.networkConfiguration, {
				subnets: PRIVATE_SUBNETS,
				securityGroups: ["firewall-service-id"],
				assignPublicIp: false,
			});
		}
		assert.deepEqual(the(declared, "SubnetGroup", "servers-subnets").inputs.subnetIds, PRIVATE_SUBNETS);
		for (const server of SERVERS) {
			const { inputs } = the(declared, "Instance", `${server}-instance`);
			assert.deepEqual(
				[inputs.dbSubnetGroupName, inputs.vpcSecurityGroupIds, inputs.publiclyAccessible],
				["counting-production", ["firewall-database-id"], false],
			);
		}
	});

	it("lets nobody reach what they need not", () => {
		const short = (id: unknown) => String(id).replace(/^firewall-(.*)-id$/, "$1");
		const rules = (direction: string, word: string) =>
			ofType(`SecurityGroup${direction}Rule`)
				.map(({ inputs }) => {
					const other = short(inputs.referencedSecurityGroupId ?? inputs.cidrIpv4);
					const { fromPort, toPort, ipProtocol } = inputs;
					return `${short(inputs.securityGroupId)} ${word} ${other} ${ipProtocol} ${fromPort}-${toPort}`;
				})
				.sort();
		assert.deepEqual(rules("Ingress", "from"), [
			"database from database tcp 5432-5432",
			"database from service tcp 5432-5432",
			"database from sg-0a1b2c3d4e5f6a7b8 tcp 5432-5432",
			"load-balancer from 0.0.0.0/0 tcp 443-443",
			"load-balancer from 0.0.0.0/0 tcp 80-80",
			"load-balancer from 198.51.100.24/32 tcp 8443-8443",
			"load-balancer from 198.51.100.24/32 tcp 8444-8444",
			"service from load-balancer tcp 8080-8080",
		]);
		assert.deepEqual(rules("Egress", "to"), [
			"database to database tcp 5432-5432",
			"load-balancer to service tcp 8080-8080",
			"service to 0.0.0.0/0 tcp 443-443",
			"service to database tcp 5432-5432",
		]);
	});

	it("gives the key to its account and to services that write for it, and a role what it needs", () => {
		const ofKey = statementsOf(the(declared, "Key", "key-key").inputs.policy);
		assert.deepEqual(
			ofKey.map(({ Principal, Condition }) => [Principal, Condition !== undefined]),
			[
				[{ AWS: "arn:aws:iam::123456789012:root" }, false],
				[{ Service: "logs.eu-central-1.amazonaws.com" }, true],
				[{ Service: ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"] }, true],
			],
		);
		const trusted = ofType("Role").map(({ inputs }) => {
			const [statement, ...others] = statementsOf(inputs.assumeRolePolicy);
			return [inputs.name, statement?.Principal, others.length];
		});
		const tasks = { Service: "ecs-tasks.amazonaws.com" };
		assert.deepEqual(trusted.sort(), [
			["counting-production-blue-execution", tasks, 0],
			["counting-production-blue-task", tasks, 0],
			["counting-production-database-monitoring", { Service: "monitoring.rds.amazonaws.com" }, 0],
			["counting-production-green-execution", tasks, 0],
			["counting-production-green-task", tasks, 0],
		]);
		assert.deepEqual(
			[...ofType("RolePolicy"), ...ofType("RolePolicyAttachment")].map(({ inputs }) => inputs.role).sort(),
			["blue-execution", "database-monitoring", "green-execution"].map(
				(role) => `counting-production-${role}`,
			),
		);
		for (const { inputs } of ofType("RolePolicy")) {
			assert.deepEqual(
				statementsOf(inputs.policy)
					.map(({ Action, Resource }) => `${Action} on ${Resource}`)
					.slice(1),
				[
					"kms:Decrypt on arn:aws:mock:key-key",
					"logs:CreateLogStream,logs:PutLogEvents on arn:aws:mock:cluster-logs:*",
					"ecr:GetAuthorizationToken on *",
					"ecr:BatchCheckLayerAvailability,ecr:GetDownloadUrlForLayer,ecr:BatchGetImage on arn:aws:ecr:eu-central-1:123456789012:repository/counting-api",
				],
			);
		}
	});

	it("keeps its databases over the end of a zone, a slip of a hand and their own end", () => {
		for (const server of SERVERS) {
			const { inputs, options } = the(declared, "Instance", `${server}-instance`);
			assert.deepEqual(
				[options.protect, inputs.deletionProtection, inputs.skipFinalSnapshot, inputs.deleteAutomatedBackups],
				[true, true, false, false],
			);
			assert.deepEqual(
				[inputs.multiAz, inputs.storageEncrypted, inputs.kmsKeyId, inputs.backupRetentionPeriod],
				[true, true, "arn:aws:mock:key-key", 35],
			);
		}
		assert.equal(the(declared, "LoadBalancer", "router").inputs.enableDeletionProtection, true);
	});

	it("tells who is on call of each server and of what clients see", () => {
		const subscribed = the(declared, "TopicSubscription", "alarms-email-0").inputs;
		assert.deepEqual(
			[subscribed.topic, subscribed.protocol, subscribed.endpoint],
			["arn:aws:mock:alarms-topic", "email", "on-call@example.com"],
		);
		const watched = ofType("MetricAlarm").map(({ inputs }) => {
			assert.deepEqual(inputs.alarmActions, ["arn:aws:mock:alarms-topic"]);
			assert.deepEqual(inputs.okActions, ["arn:aws:mock:alarms-topic"]);
			return `${Object.entries(inputs.dimensions as object)} ${inputs.metricName}`;
		});
		const ofServers = SERVERS.flatMap((server) => {
			const { identifier } = the(declared, "Instance", `${server}-instance`).inputs;
			return [
				...["CPUUtilization", "DatabaseConnections", "FreeStorageSpace"],
				...["OldestReplicationSlotLag", "ReplicationSlotDiskUsage"],
			].map((metric) => `DBInstanceIdentifier,${identifier} ${metric}`);
		});
		const ofClients = ["HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count", "TargetResponseTime"];
		assert.deepEqual(
			watched.sort(),
			[...ofServers, ...ofClients.map((metric) => `LoadBalancer,app/router/1 ${metric}`)].sort(),
		);
	});

	it("is found by its name, and speaks TLS with everybody who comes", () => {
		const { name, zoneId, type, aliases } = the(declared, "Record", "router-name").inputs;
		assert.deepEqual(
			[name, zoneId, type, aliases],
			[
				"counting.example.com",
				"Z0123456789ABCDEFGHIJ",
				"A",
				[{ name: "router.elb.example", zoneId: "ELB", evaluateTargetHealth: false }],
			],
		);
		const spoken = ofType("Listener").map(({ inputs: { port, protocol, sslPolicy } }) => [
			port,
			protocol,
			sslPolicy,
		]);
		assert.deepEqual(
			spoken.sort(([left], [right]) => Number(left) - Number(right)),
			[
				[80, "HTTP", undefined],
				...[443, 8443, 8444].map((port) => [port, "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06"]),
			],
		);
	});
});
