import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { allConnections } from "../../database/aws/parameters";
import { ServerEnvironment } from "../../database/aws/server-environment";
import { ServerInstance } from "../../database/aws/server-instance";
import { certificatesIn } from "../../database/connection";
import { ServerAnswers } from "../../database/server-answers";
import { AlarmTopic } from "../../monitoring/aws/alarm-topic";
import { ServerAlarms } from "../../monitoring/aws/server-alarms";
import { TrafficAlarms } from "../../monitoring/aws/traffic-alarms";
import { COLORS, type Color } from "../../replication/node";
import { Cluster } from "../../service/aws/cluster";
import { ColorService } from "../../service/aws/color-service";
import type { ServiceArgs } from "../../service/service";
import type { AwsSettings } from "../../settings/aws";
import { LoadBalancer } from "../../traffic/aws/load-balancer";
import type { PlacedRouter, PlacedServer, PlacedService, Platform, ServerArgs } from "../platform";
import { EncryptionKey } from "./encryption-key";
import { Firewall } from "./firewall";
import { stackPrefix } from "./names";
import { Network } from "./network";
import { runnerAddresses } from "./runner";
import {
	backupDays,
	CATALOG_CONNECTIONS,
	CATALOG_STORAGE,
	FAILURES_PER_MINUTE,
	SECRET_RECOVERY_DAYS,
} from "./terms";

const ADMINISTRATOR = "deployment";
const DATABASE = "postgres";

/** PostgreSQL on RDS, services on Fargate, and an Application Load Balancer in front of them. */
export class AwsPlatform implements Platform {
	readonly catalogApart = true;
	/** The administrator is no superuser there: RDS has a role for who may read what changes. */
	readonly replicationRole = {
		attributes: { replication: false, bypassRowLevelSecurity: false },
		roles: ["rds_replication", "pg_read_all_data"],
	};
	readonly serviceProcesses: number;
	readonly resources: pulumi.Resource[];
	/** Begins the names of what is the stack's in its account. */
	private readonly prefix: string;
	private readonly tags: Record<string, string>;
	private readonly provider: aws.Provider;
	private readonly key: EncryptionKey;
	private readonly network: Network;
	private readonly firewall: Firewall;
	private readonly servers: ServerEnvironment;
	private readonly cluster: Cluster;
	private readonly alarms: AlarmTopic | undefined;
	private balancer: LoadBalancer | undefined;

	/**
	 * @param recordedTasks of the services that the last update left: they go on beside those of this one
	 * @throws RunError when the file of certificates is not there
	 */
	constructor(
		stack: string,
		private readonly settings: AwsSettings,
		recordedTasks: readonly number[] = [],
	) {
		requireCertificates(settings.databaseCertificates, settings.awsRegion);
		const { environment, awsRegion: region, awsAccount, logRetentionDays, alarmEmails = [] } = settings;
		this.serviceProcesses = Math.max(settings.serviceTasks, ...recordedTasks);
		this.prefix = stackPrefix(stack);
		this.tags = { Project: pulumi.getProject(), Environment: environment, Stack: stack, ManagedBy: "pulumi" };
		this.provider = new aws.Provider("aws", {
			region: region as aws.Region,
			// The credentials of another account would make a second stack there.
			allowedAccountIds: [awsAccount],
		});
		const { prefix, tags } = this;
		const common = { prefix, tags };
		const opts = this.at({});
		this.key = new EncryptionKey("key", { ...common, region, outlivesStack: this.isProduction }, opts);
		this.network = new Network("network", { ...common, ...networkOf(settings) }, opts);
		const runner = runnerAddresses(settings);
		this.firewall = new Firewall(
			"firewall",
			{
				...common,
				vpcId: this.network.vpcId,
				clientCidrs: settings.clientCidrs,
				runnerPublicCidrs: runner.public,
				gatewayCidrs: runner.behindGateways ? this.network.gatewayCidrs : [],
				runnerPrivateCidrs: runner.private,
				...(settings.runnerSecurityGroupId !== undefined && {
					runnerSecurityGroupId: settings.runnerSecurityGroupId,
				}),
			},
			opts,
		);
		this.servers = new ServerEnvironment(
			"servers",
			{ ...common, subnetIds: this.network.privateSubnetIds },
			opts,
		);
		this.cluster = new Cluster("cluster", { ...common, logRetentionDays, keyArn: this.key.arn }, opts);
		this.alarms = settings.alerting
			? new AlarmTopic("alarms", { ...common, keyArn: this.key.arn, emails: [...alarmEmails] }, opts)
			: undefined;
		const { key, network, firewall, servers, cluster, alarms } = this;
		this.resources = [key, network, firewall, servers, cluster, ...(alarms ? [alarms] : [])];
	}

	server(name: string, args: ServerArgs, opts: pulumi.ComponentResourceOptions): PlacedServer {
		const { holds, password } = args;
		const { settings, tags } = this;
		const { databaseStorageGigabytes, databaseMaxStorageGigabytes, startTimeoutSeconds } = settings;
		const isCatalog = holds === "catalog";
		const maxConnections = isCatalog ? CATALOG_CONNECTIONS : settings.maxConnections;
		const identifier = `${this.prefix}-${holds}`;
		const storage = isCatalog
			? CATALOG_STORAGE
			: { storageGigabytes: databaseStorageGigabytes, maxStorageGigabytes: databaseMaxStorageGigabytes };
		const { instance } = new ServerInstance(
			name,
			{
				...{ environment: this.servers, identifier, password, tags, ...storage },
				engineVersion: settings.databaseVersion,
				instanceClass: isCatalog ? settings.catalogClass : settings.databaseClass,
				multiAz: settings.databaseMultiZone,
				securityGroupId: this.firewall.ids.database,
				keyArn: this.key.arn,
				administrator: ADMINISTRATOR,
				maxConnections,
				keptWalGigabytes: settings.keptWalGigabytes,
				tasks: this.serviceProcesses,
				backupRetentionDays: backupDays[settings.backupSchedule],
				backupWindow: "01:00-02:00",
				maintenanceWindow: "sun:03:00-sun:04:00",
				monitoringSeconds: 60,
				insightsRetentionDays: 7,
				protect: settings.protectDatabases,
				leavesBackups: this.isProduction,
				logRetentionDays: settings.logRetentionDays,
			},
			this.at(opts),
		);
		if (this.alarms !== undefined) {
			new ServerAlarms(
				`${name}-alarms`,
				{
					...{ topicArn: this.alarms.arn, prefix: this.prefix, tags, identifier },
					storageGigabytes: storage.storageGigabytes,
					maxConnections: allConnections(maxConnections, this.serviceProcesses),
					connectionsPercent: settings.connectionsWarningPercent,
				},
				this.at(opts),
			);
		}
		const encryption = { sslMode: "verify-full", sslRootCert: settings.databaseCertificates } as const;
		const running = new ServerAnswers(
			`${name}-answers`,
			{
				connection: pulumi.output({
					...{ host: instance.address, port: instance.port, database: DATABASE },
					...{ user: ADMINISTRATOR, password, ...encryption },
				}),
				instance: instance.id,
				timeoutSeconds: startTimeoutSeconds,
			},
			opts,
		);
		return {
			...{ host: instance.address, port: instance.port, administrator: ADMINISTRATOR },
			password: pulumi.secret(password),
			...encryption,
			...{ resource: instance, running },
		};
	}

	router(name: string, opts: pulumi.ComponentResourceOptions): PlacedRouter {
		const { settings, prefix, tags } = this;
		const balancer = new LoadBalancer(
			name,
			{
				...{ prefix, tags, vpcId: this.network.vpcId, subnetIds: this.network.publicSubnetIds },
				securityGroupId: this.firewall.ids.loadBalancer,
				domainName: settings.domainName,
				zoneId: settings.hostedZoneId,
				certificateArn: settings.certificateArn,
				deregistrationDelaySeconds: settings.drainTimeoutSeconds,
				...(settings.accessLogsBucket !== undefined && { accessLogsBucket: settings.accessLogsBucket }),
				protect: settings.protectDatabases,
			},
			this.at(opts),
		);
		this.balancer = balancer;
		const loadBalancer = balancer.loadBalancer.arnSuffix;
		if (this.alarms !== undefined) {
			const alarms = new TrafficAlarms(
				`${name}-alarms`,
				{
					...{ topicArn: this.alarms.arn, prefix, tags, loadBalancer },
					failuresPerMinute: FAILURES_PER_MINUTE,
					slowRequestMilliseconds: settings.slowRequestMilliseconds,
				},
				this.at(opts),
			);
			this.resources.push(alarms);
		}
		const color = (one: Color) => ({
			targetGroupArn: balancer.targetGroups[one].arn,
			url: balancer.testUrls[one],
		});
		return {
			url: balancer.url,
			reference: pulumi.output({
				kind: "alb" as const,
				region: settings.awsRegion,
				listenerArn: balancer.listener.arn,
				loadBalancer,
				colors: { blue: color("blue"), green: color("green") },
			}),
			resource: balancer,
		};
	}

	/**
	 * A colour's service is one resource, whatever generation is in it: its target group can have the tasks of one
	 * generation only, and ECS changes them for those of the next while nobody is served by them.
	 *
	 * @throws Error for a service that is no colour's or has no image, or before the router is declared
	 */
	service(_name: string, args: ServiceArgs, opts: pulumi.ComponentResourceOptions): PlacedService {
		const { entry: _, image, color: generation, tasks, cpu, memory, architecture, ...rest } = args;
		const color = COLORS.find((each) => generation.startsWith(`${each}-`));
		if (color === undefined || image === undefined || this.balancer === undefined) {
			throw new Error(`the service ${generation} cannot be placed: it needs a colour, an image and a router`);
		}
		const { settings, prefix, tags } = this;
		const service = new ColorService(
			`${color}-service`,
			{
				...rest,
				...{ image, cluster: this.cluster, keyArn: this.key.arn, tags },
				prefix: `${prefix}-${color}`,
				secretPrefix: `${prefix}/${color}`,
				secretRecoveryDays: this.isProduction ? SECRET_RECOVERY_DAYS : 0,
				subnetIds: this.network.privateSubnetIds,
				securityGroupId: this.firewall.ids.service,
				targetGroupArn: this.balancer.targets[color],
				// The colour's own, so that a release leaves the other one's tasks alone.
				...{ tasks: tasks ?? settings.serviceTasks, cpu: cpu ?? settings.serviceCpu },
				memory: memory ?? settings.serviceMemory,
				architecture: architecture ?? settings.serviceArchitecture,
				region: settings.awsRegion,
				url: this.balancer.testUrls[color],
			},
			this.at(opts),
		);
		const { url } = service.ready;
		return { url, insideUrl: url, targetGroup: url.apply(() => color), resource: service };
	}

	/** Whether it leaves something behind: also once `protectDatabases` is lifted, which comes before every destroy. */
	private get isProduction(): boolean {
		return this.settings.environment === "production";
	}

	/** In the stack's account and region. */
	private at(opts: pulumi.ComponentResourceOptions): pulumi.ComponentResourceOptions {
		return { ...opts, providers: [this.provider] };
	}
}

function networkOf(settings: AwsSettings) {
	const { networkCidr: cidr, networkZones: zones, vpcId, publicSubnetIds, privateSubnetIds } = settings;
	return cidr === undefined
		? {
				...(vpcId !== undefined && { vpcId }),
				...(publicSubnetIds !== undefined && { publicSubnetIds }),
				...(privateSubnetIds !== undefined && { privateSubnetIds }),
			}
		: { cidr, zones, gatewayPerZone: settings.environment === "production" };
}

/** @throws RunError when there are none */
function requireCertificates(file: string, region: string): void {
	try {
		certificatesIn(file);
	} catch (error) {
		throw new pulumi.RunError(
			`databaseCertificates: ${error instanceof Error ? error.message : error}. RDS publishes it for each region: ` +
				`curl -o ${file} https://truststore.pki.rds.amazonaws.com/${region}/${region}-bundle.pem`,
		);
	}
}
