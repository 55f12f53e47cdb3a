import assert from "node:assert/strict";
import { serverParameters } from "../../../components/database/aws/parameters";
import { ServerEnvironment } from "../../../components/database/aws/server-environment";
import { ServerInstance } from "../../../components/database/aws/server-instance";
import { EncryptionKey, keyPolicy } from "../../../components/platform/aws/encryption-key";
import { RoleSecret } from "../../../components/secrets/aws/role-secret";
import { counted, declaredBy, TAGS, the, untagged } from "./declared";

const prefix = "counting-production";
const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1";
const region = "eu-central-1";

describe("a database server on AWS", () => {
	function server(protect: boolean, leavesBackups: boolean) {
		return declaredBy(() => {
			const environment = new ServerEnvironment("servers", {
				subnetIds: ["subnet-c", "subnet-d"],
				...{ prefix, tags: TAGS },
			});
			return new ServerInstance("server-green", {
				...{ environment, identifier: "counting-production-green", engineVersion: "18.1" },
				...{ instanceClass: "db.m7g.large", storageGigabytes: 100, maxStorageGigabytes: 1000 },
				...{
					multiAz: true,
					securityGroupId: "sg-database",
					keyArn,
					maxConnections: 200,
					keptWalGigabytes: 16,
				},
				...{ administrator: "deployment", password: "hidden", backupRetentionDays: 35 },
				...{ backupWindow: "01:00-02:00", maintenanceWindow: "sun:03:00-sun:04:00" },
				...{
					monitoringSeconds: 60,
					insightsRetentionDays: 7,
					tasks: 2,
					logRetentionDays: 90,
					protect,
					leavesBackups,
					tags: TAGS,
				},
			});
		});
	}

	it("is encrypted, private, backed up, watched, and not deleted by a slip", async () => {
		const declared = await server(true, true);
		assert.deepEqual(counted(declared), {
			SubnetGroup: 1,
			Role: 1,
			RolePolicyAttachment: 1,
			ParameterGroup: 1,
			LogGroup: 2,
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
			finalSnapshotIdentifier: "server-green-parameters-final",
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
		assert.deepEqual(waitsFor, [
			"server-green-parameters",
			"server-green-postgresql-log",
			"server-green-upgrade-log",
			"servers-monitoring",
			"servers-subnets",
		]);
		assert.deepEqual(the(declared, "LogGroup", "server-green-postgresql-log").inputs, {
			name: "/aws/rds/instance/counting-production-green/postgresql",
			kmsKeyId: keyArn,
			retentionInDays: 90,
			tags: TAGS,
		});
		assert.equal(the(declared, "ParameterGroup", "server-green-parameters").inputs.family, "postgres18");
		assert.deepEqual(untagged(declared, TAGS), []);
	});

	it("goes without a snapshot and takes its backups along where nothing is to be left", async () => {
		const { inputs } = the(await server(false, false), "Instance", "server-green-instance");
		const { deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier, deleteAutomatedBackups } = inputs;
		assert.deepEqual(
			[deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier, deleteAutomatedBackups],
			[false, true, undefined, true],
		);
	});

	it("leaves a snapshot also when its deletion is allowed, by a name that no earlier server's has", async () => {
		const declared = await server(false, true);
		const { namePrefix, name } = the(declared, "ParameterGroup", "server-green-parameters").inputs;
		assert.deepEqual([namePrefix, name], ["counting-production-green-", undefined]);
		const { inputs } = the(declared, "Instance", "server-green-instance");
		const { deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier, deleteAutomatedBackups } = inputs;
		assert.deepEqual(
			[deletionProtection, skipFinalSnapshot, finalSnapshotIdentifier, deleteAutomatedBackups],
			[false, false, "server-green-parameters-final", false],
		);
	});

	it("replicates logically, demands encryption, and gives up a slot before the disk is full", () => {
		const parameters = serverParameters(200, 20, 16, 2);
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
			serverParameters(200, 1000, 16, 2).find(({ name }) => name === "max_slot_wal_keep_size")?.value,
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
	it("turns by itself, stays where snapshots need it, and is used by the stack's own logs and alarms only", async () => {
		const declared = await declaredBy(
			() => new EncryptionKey("key", { prefix, region, outlivesStack: true, tags: TAGS }),
		);
		assert.equal(the(declared, "Key", "key-key").retained, true);
		assert.equal(the(declared, "Alias", "key-alias").retained, false);
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
