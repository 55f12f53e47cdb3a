import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { PORTS } from "../../platform/aws/firewall";
import { serverParameters } from "./parameters";
import type { ServerEnvironment } from "./server-environment";

export interface ServerInstanceArgs {
	/** What the stack's servers share. */
	environment: ServerEnvironment;
	/** The instance's name on AWS. */
	identifier: string;
	/** PostgreSQL's version, such as `18` or `18.1`. */
	engineVersion: pulumi.Input<string>;
	/** Such as `db.t4g.micro`. */
	instanceClass: pulumi.Input<string>;
	/** Gigabytes of disk to begin with. */
	storageGigabytes: pulumi.Input<number>;
	/** Gigabytes that the disk may grow to by itself. */
	maxStorageGigabytes: pulumi.Input<number>;
	/** Whether a second zone takes over when the first fails. */
	multiAz: pulumi.Input<boolean>;
	/** Who may reach it. */
	securityGroupId: pulumi.Input<string>;
	/** The key that disk, backups and statistics are encrypted with. */
	keyArn: pulumi.Input<string>;
	/** The administrator's name. */
	administrator: string;
	/** The administrator's password. */
	password: pulumi.Input<string>;
	/** Connections that one colour's application may hold. */
	maxConnections: pulumi.Input<number>;
	/** Tasks of each service: each has connections to the queue. */
	tasks: pulumi.Input<number>;
	/** Of its log that it keeps for a slot that nobody reads from, and no more than a quarter of its disk. */
	keptWalGigabytes: pulumi.Input<number>;
	/** Days that backups are kept, from which any second of them can be restored; 1 to 35. */
	backupRetentionDays: pulumi.Input<number>;
	/** When the daily snapshot is taken, in UTC, such as `01:00-02:00`. */
	backupWindow: pulumi.Input<string>;
	/** When AWS may maintain it, in UTC, such as `sun:03:00-sun:04:00`. */
	maintenanceWindow: pulumi.Input<string>;
	/** Seconds between two reports of the operating system's load. */
	monitoringSeconds: pulumi.Input<number>;
	/** Days that Performance Insights keeps: 7, or a multiple of 31 up to 731. */
	insightsRetentionDays: pulumi.Input<number>;
	/** Refuses its deletion. */
	protect: boolean;
	/** Days that its log is kept. */
	logRetentionDays: pulumi.Input<number>;
	/** Whether its deletion leaves a last snapshot, and the backups for as long as they are kept. */
	leavesBackups: boolean;
	/** On everything that is made. */
	tags: Record<string, string>;
}

const LOGS = ["postgresql", "upgrade"] as const;

/** A PostgreSQL server on RDS, encrypted, reached from inside the network only. */
export class ServerInstance extends pulumi.ComponentResource {
	readonly instance: aws.rds.Instance;

	constructor(name: string, args: ServerInstanceArgs, opts?: pulumi.ComponentResourceOptions) {
		super("camera-counting:database:ServerInstance", name, {}, opts);
		const { environment, identifier, engineVersion, keyArn, maxConnections, storageGigabytes, tags } = args;
		const child = { parent: this };
		const parameters = new aws.rds.ParameterGroup(
			`${name}-parameters`,
			{
				// A changed group of one name could not be made beside the one that is in use.
				namePrefix: `${identifier}-`,
				family: pulumi.output(engineVersion).apply((version) => `postgres${version.split(".")[0]}`),
				description: `Logical replication between the colours of ${identifier}`,
				parameters: pulumi
					.all([maxConnections, storageGigabytes, args.keptWalGigabytes, args.tasks])
					.apply((sizes) => serverParameters(...sizes)),
				tags,
			},
			child,
		);
		// RDS would make them itself: without a key, without tags, and kept for ever.
		const logs = LOGS.map(
			(log) =>
				new aws.cloudwatch.LogGroup(
					`${name}-${log}-log`,
					{
						name: `/aws/rds/instance/${identifier}/${log}`,
						kmsKeyId: keyArn,
						retentionInDays: args.logRetentionDays,
						tags,
					},
					child,
				),
		);
		this.instance = new aws.rds.Instance(
			`${name}-instance`,
			{
				identifier,
				engine: "postgres",
				engineVersion,
				instanceClass: args.instanceClass,
				allocatedStorage: storageGigabytes,
				maxAllocatedStorage: args.maxStorageGigabytes,
				storageType: "gp3",
				storageEncrypted: true,
				kmsKeyId: keyArn,
				multiAz: args.multiAz,
				dbSubnetGroupName: environment.subnetGroupName,
				vpcSecurityGroupIds: [args.securityGroupId],
				publiclyAccessible: false,
				port: PORTS.database,
				caCertIdentifier: "rds-ca-rsa2048-g1",
				username: args.administrator,
				password: pulumi.secret(args.password),
				parameterGroupName: parameters.name,
				backupRetentionPeriod: args.backupRetentionDays,
				backupWindow: args.backupWindow,
				maintenanceWindow: args.maintenanceWindow,
				copyTagsToSnapshot: true,
				deletionProtection: args.protect,
				deleteAutomatedBackups: !args.leavesBackups,
				skipFinalSnapshot: !args.leavesBackups,
				// A snapshot outlives the server: one of the same name that is made later needs another name for its own. That of
				// the parameter group has the time in it at which that was made.
				...(args.leavesBackups && { finalSnapshotIdentifier: pulumi.interpolate`${parameters.name}-final` }),
				// The other colour runs the version that was tested with it; minor ones come with `engineVersion`.
				autoMinorVersionUpgrade: false,
				allowMajorVersionUpgrade: false,
				applyImmediately: false,
				performanceInsightsEnabled: true,
				performanceInsightsKmsKeyId: keyArn,
				performanceInsightsRetentionPeriod: args.insightsRetentionDays,
				monitoringInterval: args.monitoringSeconds,
				monitoringRoleArn: environment.monitoringRoleArn,
				enabledCloudwatchLogsExports: [...LOGS],
				tags: { ...tags, Name: identifier },
			},
			{ ...child, protect: args.protect, dependsOn: logs },
		);
		this.registerOutputs({ host: this.instance.address });
	}
}
