import assert from "node:assert/strict";
import { serverParameters } from "../../../components/database/aws/parameters";
import { ServerEnvironment } from "../../../components/database/aws/server-environment";
import { ServerInstance } from "../../../components/database/aws/server-instance";
import { AlarmTopic } from "../../../components/monitoring/aws/alarm-topic";
import { ServerAlarms } from "../../../components/monitoring/aws/server-alarms";
import { TrafficAlarms } from "../../../components/monitoring/aws/traffic-alarms";
import { EncryptionKey, keyPolicy } from "../../../components/platform/aws/encryption-key";
import { RoleSecret } from "../../../components/secrets/aws/role-secret";
import { Cluster } from "../../../components/service/aws/cluster";
import { containerDefinition, isByDigest } from "../../../components/service/aws/container";
import { FargateService } from "../../../components/service/aws/fargate-service";
import { TaskRoles } from "../../../components/service/aws/task-roles";
import { LoadBalancer } from "../../../components/traffic/aws/load-balancer";
import { counted, declaredBy, TAGS, the, untagged } from "./declared";

const prefix = "counting-production";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";
const region = "eu-central-1";
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/counting-api@sha256:${"0a".repeat(32)}`;

describe("a database server on AWS", () => {
	function server(protect: boolean) {
		return declaredBy(() => {
			const environment = new ServerEnvironment("servers", {
				subnetIds: ["subnet-c", "subnet-d"],
				...{ prefix, tags: TAGS },
			});
			return new ServerInstance("server-green", {
				...{ environment, identifier: "counting-production-green", engineVersion: "18.1" },
				...{ instanceClass: "db.m7g.large", storageGigabytes: 100, maxStorageGigabytes: 1000 },
				...{ multiAz: true, securityGroupId: "sg-database", keyArn, maxConnections: 200 },
				...{ administrator: "deployment", password: "hidden", backupRetentionDays: 35 },
				...{ backupWindow: "01:00-02:00", maintenanceWindow: "sun:03:00-sun:04:00" },
				...{ monitoringSeconds: 60, insightsRetentionDays: 7, protect, tags: TAGS },
			});
		});
	}

	it("is encrypted, private, backed up, watched, and not deleted by a slip", async () => {
		const declared = await server(true);
		assert.deepEqual(counted(declared), {
			SubnetGroup: 1,
			Role: 1,
			RolePolicyAttachment: 1,
			ParameterGroup: 1,
			Instance: 1,
		});
		const { inputs, waitsFor } = the(declared, "Instance", "server-green-instance");
		const { password, parameterGroupName, tags, ...rest } = inputs;
		assert.deepEqual(rest, {
			identifier: "counting-production-green",
			engine: "postgres",
			engineVersion: "18.1",
			instanceClass: "db.m7g.large",
			allocatedStorage: 100,
			maxAllocatedStorage: 1000,
			storageType: "gp3",
			storageEncrypted: true,
			kmsKeyId: keyArn,
			multiAz: true,
			dbSubnetGroupName: prefix,
			vpcSecurityGroupIds: ["sg-database"],
			publiclyAccessible: false,
			port: 5432,
			caCertIdentifier: "rds-ca-rsa2048-g1",
			username: "deployment",
			backupRetentionPeriod: 35,
			backupWindow: "01:00-02:00",
			maintenanceWindow: "sun:03:00-sun:04:00",
			copyTagsToSnapshot: true,
			deleteAutomatedBackups: false,
			deletionProtection: true,
			skipFinalSnapshot: false,
			finalSnapshotIdentifier: "counting-production-green-final",
			autoMinorVersionUpgrade: false,
			allowMajorVersionUpgrade: false,
			applyImmediately: false,
			performanceInsightsEnabled: true,
			performanceInsightsKmsKeyId: keyArn,
			performanceInsightsRetentionPeriod: 7,
			monitoringInterval: 60,
			monitoringRoleArn: "arn:aws:mock:servers-monitoring",
			enabledCloudwatchLogsExports: ["postgresql", "upgrade"],
		});
		assert.deepEqual(waitsFor, ["server-green-parameters", "servers-monitoring", "servers-subnets"]);
		assert.equal(the(declared, "ParameterGroup", "server-green-parameters").inputs.family, "postgres18");
		assert.deepEqual(untagged(declared, TAGS), []);
	});

	it("goes without a snapshot where data is not protected", async () => {
		const { inputs } = the(await server(false), "Instance", "server-green-instance");
		const { deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier } = inputs;
		assert.deepEqual(
			{ deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier },
			{ deletionProtection: false, skipFinalSnapshot: true, finalSnapshotIdentifier: undefined },
		);
	});

	it("replicates logically, demands encryption, and gives up a slot before the disk is full", () => {
		const parameters = serverParameters(200, 20);
		const value = (wanted: string) => parameters.find(({ name }) => name === wanted);
		assert.deepEqual(value("rds.logical_replication"), {
			name: "rds.logical_replication",
			value: "1",
			applyMethod: "pending-reboot",
		});
		assert.equal(value("rds.force_ssl")?.value, "1");
		assert.equal(value("shared_preload_libraries")?.value, "pg_stat_statements");
		assert.equal(value("max_slot_wal_keep_size")?.value, "5120");
		assert.equal(
			serverParameters(200, 1000).find(({ name }) => name === "max_slot_wal_keep_size")?.value,
			"16384",
		);
		assert.deepEqual([value("max_wal_senders")?.value, value("max_replication_slots")?.value], ["20", "20"]);
	});
});

describe("a secret on AWS", () => {
	it("is referred to by the version that a service was started with, and is secret in the state", async () => {
		let reference: unknown;
		const declared = await declaredBy(() => {
			const secret = new RoleSecret("green-secret", {
				...{ secretName: "counting-production/green/application", keyArn, recoveryDays: 30, tags: TAGS },
				connection: {
					...{ host: "db.example", port: 5432, database: "counting_production_green_2" },
					...{ user: "counting_app", password: "hidden", sslMode: "verify-full" },
				},
			});
			return secret.passwordReference.apply((text) => {
				reference = text;
			});
		});
		assert.deepEqual(counted(declared), { Secret: 1, SecretVersion: 1 });
		assert.equal(reference, "arn:aws:mock:green-secret:password::version-of-green-secret-version");
		const { secretString } = the(declared, "SecretVersion", "green-secret-version").inputs;
		assert.match(JSON.stringify(secretString), /4dabf18193072939515e22adb298388d/);
		assert.doesNotMatch(JSON.stringify(the(declared, "Secret", "green-secret").inputs), /hidden/);
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});

describe("the key on AWS", () => {
	it("turns by itself and is used by the stack's own logs and alarms only", async () => {
		const declared = await declaredBy(
			() => new EncryptionKey("key", { prefix, region, deletionWindowDays: 30, tags: TAGS }),
		);
		assert.deepEqual(counted(declared), { Key: 1, Alias: 1 });
		const { policy, ...rest } = the(declared, "Key", "key-key").inputs;
		assert.equal(rest.enableKeyRotation, true);
		assert.deepEqual(JSON.parse(String(policy)), keyPolicy("123456789012", "aws", region, prefix));
		assert.deepEqual(
			keyPolicy("123456789012", "aws", region, prefix).Statement.map(({ Sid }) => Sid),
			["Account", "Logs", "Alarms"],
		);
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});

describe("a service's container on AWS", () => {
	const options = {
		image: IMAGE,
		environment: { RELEASE: "1.3.0", PORT: "8080" },
		secrets: { PGPASSWORD: "arn:secret:password::v1" },
		logGroup: "/ecs/counting-production",
		region,
		drainTimeoutSeconds: 10,
	};

	it("gets passwords by reference, writes nothing and has no right", () => {
		const definition = containerDefinition(options);
		assert.deepEqual(definition.secrets, [{ name: "PGPASSWORD", valueFrom: "arn:secret:password::v1" }]);
		assert.deepEqual(definition.environment, [
			{ name: "PORT", value: "8080" },
			{ name: "RELEASE", value: "1.3.0" },
		]);
		assert.equal(definition.readonlyRootFilesystem, true);
		assert.equal(definition.user, "65532:65532");
		assert.deepEqual(definition.linuxParameters.capabilities, { drop: ["ALL"] });
		assert.equal(definition.stopTimeout, 12);
		assert.equal(containerDefinition({ ...options, drainTimeoutSeconds: 600 }).stopTimeout, 120);
	});

	for (const image of ["counting-api:1.3.0", "counting-api", `counting-api@sha256:${"0a".repeat(31)}`]) {
		it(`is refused as ${image}`, () => {
			assert.equal(isByDigest(image), false);
			assert.throws(() => containerDefinition({ ...options, image }), /name it by its digest/);
		});
	}
});

describe("a service on AWS", () => {
	it("goes back by itself when its tasks do not become healthy, and waits for its rights", async () => {
		const declared = await declaredBy(() => {
			const cluster = new Cluster("services", { logRetentionDays: 90, keyArn, prefix, tags: TAGS });
			const roles = new TaskRoles("green-roles", {
				...{ secretArns: ["arn:secret"], keyArn, logGroupArn: cluster.logGroup.arn, region },
				...{ prefix: `${prefix}-green`, tags: TAGS },
			});
			return new FargateService("green", {
				...{ cluster, serviceName: `${prefix}-green`, image: IMAGE, region, tags: TAGS },
				...{ environment: { PORT: "8080" }, secrets: { PGPASSWORD: "arn:secret:password::v1" } },
				...{ executionRoleArn: roles.executionRoleArn, taskRoleArn: roles.taskRoleArn },
				...{ subnetIds: ["subnet-c"], securityGroupId: "sg-service", targetGroupArn: "arn:group" },
				...{ tasks: 3, cpu: 512, memory: 1024, architecture: "ARM64" as const },
				...{ readyTimeoutSeconds: 60, drainTimeoutSeconds: 10 },
			});
		});
		assert.deepEqual(counted(declared), {
			LogGroup: 1,
			Cluster: 1,
			Role: 2,
			RolePolicy: 1,
			TaskDefinition: 1,
			Service: 1,
		});
		const { inputs, waitsFor } = the(declared, "Service", "green-service");
		assert.deepEqual(inputs.deploymentCircuitBreaker, { enable: true, rollback: true });
		assert.equal(inputs.waitForSteadyState, true);
		assert.equal(inputs.desiredCount, 3);
		assert.deepEqual(inputs.networkConfiguration, {
			subnets: ["subnet-c"],
			securityGroups: ["sg-service"],
			assignPublicIp: false,
		});
		assert.deepEqual(waitsFor, ["green-task", "services"]);
		const task = the(declared, "TaskDefinition", "green-task");
		assert.deepEqual(task.waitsFor, ["green-roles-execution", "green-roles-task", "services-logs"]);
		assert.deepEqual(
			[task.inputs.cpu, task.inputs.memory, task.inputs.networkMode],
			["512", "1024", "awsvpc"],
		);
		const policy = JSON.parse(String(the(declared, "RolePolicy", "green-roles-execution").inputs.policy));
		assert.deepEqual(policy.Statement[0], {
			Effect: "Allow",
			Action: ["secretsmanager:GetSecretValue"],
			Resource: ["arn:secret"],
		});
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});

describe("the load balancer on AWS", () => {
	it("speaks TLS only, leaves the choice of the colour to the cutover and lets the deployment reach both", async () => {
		let urls: unknown;
		const declared = await declaredBy(() => {
			const { url, testUrls } = new LoadBalancer("router", {
				...{ vpcId: "vpc-1", subnetIds: ["subnet-a", "subnet-b"], securityGroupId: "sg-load-balancer" },
				...{ domainName: "counting.example.com", zoneId: "Z1", certificateArn: "arn:certificate" },
				...{ deregistrationDelaySeconds: 15, accessLogsBucket: "logs", protect: true, prefix, tags: TAGS },
			});
			return [url, testUrls.blue, testUrls.green].map((each, index) =>
				each.apply((text) => {
					urls = { ...(urls as object), [index]: text };
				}),
			);
		});
		assert.deepEqual(counted(declared), { LoadBalancer: 1, TargetGroup: 2, Listener: 4, Record: 1 });
		assert.deepEqual(urls, {
			0: "https://counting.example.com",
			1: "https://counting.example.com:8443",
			2: "https://counting.example.com:8444",
		});
		const listener = (name: string) => the(declared, "Listener", `router-${name}`);
		const { inputs, ignores } = listener("https");
		assert.equal(inputs.sslPolicy, "ELBSecurityPolicy-TLS13-1-2-2021-06");
		assert.deepEqual(ignores, ["defaultActions"]);
		assert.equal((inputs.defaultActions as { type: string }[])[0]?.type, "fixed-response");
		assert.deepEqual(listener("http").inputs.defaultActions, [
			{ type: "redirect", redirect: { protocol: "HTTPS", port: "443", statusCode: "HTTP_301" } },
		]);
		for (const color of ["blue", "green"]) {
			assert.deepEqual(listener(`test-${color}`).inputs.defaultActions, [
				{ type: "forward", targetGroupArn: `arn:aws:mock:router-${color}` },
			]);
			assert.deepEqual(listener(`test-${color}`).ignores, []);
		}
		const group = the(declared, "TargetGroup", "router-green").inputs;
		assert.deepEqual([group.name, group.deregistrationDelay], ["counting-production-green", 15]);
		assert.deepEqual(the(declared, "LoadBalancer", "router").inputs.accessLogs, {
			bucket: "logs",
			prefix,
			enabled: true,
		});
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});

describe("the alarms on AWS", () => {
	it("cover what clients see and what a server needs, and go to a topic that is encrypted", async () => {
		const declared = await declaredBy(() => {
			const topicArn = new AlarmTopic("alarms", {
				...{ keyArn, emails: ["oncall@example.com"], prefix, tags: TAGS },
			}).arn;
			new TrafficAlarms("traffic-alarms", {
				...{ topicArn, prefix, tags: TAGS, loadBalancer: "app/router/1" },
				...{ failuresPerMinute: 10, slowRequestMilliseconds: 500 },
			});
			return new ServerAlarms("server-alarms", {
				...{ topicArn, prefix, tags: TAGS, identifier: "counting-production-green" },
				...{ storageGigabytes: 100, maxConnections: 400, connectionsPercent: 80 },
			});
		});
		assert.deepEqual(counted(declared), { Topic: 1, TopicSubscription: 1, MetricAlarm: 8 });
		const shown = declared
			.filter(({ type }) => type.endsWith(":MetricAlarm"))
			.map(({ inputs }) => `${inputs.metricName} ${inputs.comparisonOperator} ${inputs.threshold}`);
		assert.deepEqual(shown.sort(), [
			"CPUUtilization GreaterThanOrEqualToThreshold 85",
			"DatabaseConnections GreaterThanOrEqualToThreshold 320",
			"FreeStorageSpace LessThanOrEqualToThreshold 16106127360",
			"HTTPCode_ELB_5XX_Count GreaterThanOrEqualToThreshold 10",
			"HTTPCode_Target_5XX_Count GreaterThanOrEqualToThreshold 10",
			"OldestReplicationSlotLag GreaterThanOrEqualToThreshold 10737418240",
			"ReplicationSlotDiskUsage GreaterThanOrEqualToThreshold 10737418240",
			"TargetResponseTime GreaterThanOrEqualToThreshold 0.5",
		]);
		const latency = the(declared, "MetricAlarm", "traffic-alarms-latency").inputs;
		assert.deepEqual([latency.extendedStatistic, latency.statistic], ["p95", undefined]);
		assert.equal(the(declared, "Topic", "alarms-topic").inputs.kmsMasterKeyId, keyArn);
		assert.deepEqual(untagged(declared, TAGS), []);
	});
});
