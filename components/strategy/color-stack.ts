import * as pulumi from "@pulumi/pulumi";
import type { Catalog } from "../catalog/catalog";
import { ApplicationDatabase } from "../database/application-database";
import type { ColorServerPair } from "../database/color-servers";
import { healthSubject } from "../health/arguments";
import { ColorHealth } from "../health/color-health";
import type { HealthSubject } from "../health/subject";
import { MigrationSet } from "../migrations/migration-set";
import { deploymentContext } from "../pipeline/arguments";
import type { DeploymentContext } from "../pipeline/context";
import { declareStages, type Stage } from "../pipeline/stage";
import type { StageMoment } from "../pipeline/stage-list";
import type { PlacedRouter, PlacedService, Platform } from "../platform/platform";
import type { Queue } from "../queue/queue";
import type { PlannedColor } from "../release/blue-green";
import type { ColorRecord } from "../release/color-record";
import type { StackNames } from "../release/names";
import { DatabaseCopy } from "../replication/database-copy";
import { colorDatabase } from "../replication/environment";
import { nodeName } from "../replication/node";
import { poolConnections } from "../service/pools";
import type { Settings } from "../settings/settings";

export interface ColorStackArgs {
	planned: PlannedColor;
	settings: Settings;
	names: StackNames;
	platform: Platform;
	servers: ColorServerPair;
	router: PlacedRouter;
	catalog: Catalog;
	queue: Queue;
	/** The older colour, which this one is copied from. */
	older?: ColorStack;
	/** For the colour that shall have the traffic: whether it is new, so that it has to pass the declared stages before. */
	tested?: { due: boolean };
}

/** One generation of a colour: a database of its own, its rows, its migrations, and the service connected to it. */
export class ColorStack extends pulumi.ComponentResource {
	readonly planned: PlannedColor;
	readonly database: ApplicationDatabase;
	readonly migrations: MigrationSet;
	readonly service: PlacedService;
	readonly health: ColorHealth;
	/** What is checked of it; a secret. */
	readonly subject: pulumi.Output<HealthSubject>;
	/** Those that need the service, the last of what comes before the traffic. */
	readonly stages: Stage[];
	readonly context: pulumi.Output<DeploymentContext>;

	constructor(args: ColorStackArgs, opts?: pulumi.ComponentResourceOptions) {
		const { planned, settings, names, platform, servers, router, catalog, queue, older, tested } = args;
		const name = nodeName(planned);
		super("camera-counting:strategy:ColorStack", name, {}, opts);
		const { color, generation, release, requiredSchema, service } = planned;
		const { readyTimeoutSeconds, drainTimeoutSeconds } = settings;
		const child = { parent: this };
		this.planned = planned;

		this.database = new ApplicationDatabase(
			name,
			{
				server: servers.of(color),
				databaseName: colorDatabase(names.base, color, generation),
				// A release before may have more tasks and larger pools, which it keeps.
				maxConnections: Math.max(settings.maxConnections, poolConnections(service)),
				passwordGeneration: settings.passwordGeneration,
				replicationRole: servers.replicationUser,
			},
			child,
		);
		const context = deploymentContext(settings, names, catalog, this.database);
		this.context = context;
		const copy = new DatabaseCopy(
			`${name}-copy`,
			{
				color,
				generation,
				migrations: planned.migrations,
				directory: settings.migrationsDirectory,
				router: router.reference,
				servers: servers.connections,
				workers: settings.copyWorkers,
				verification: settings.copyVerification,
				copyTimeoutSeconds: settings.copyTimeoutSeconds,
				slotTimeoutSeconds: settings.slotTimeoutSeconds,
				catchUpTimeoutSeconds: settings.catchUpTimeoutSeconds,
				maxLagBytes: settings.maxLagKilobytes * 1024,
				context,
			},
			// With the first server everything of the stack goes, so that there is nothing left to detach.
			{ ...child, deletedWith: servers.first.resource, dependsOn: older?.migrations ?? [] },
		);
		this.migrations = new MigrationSet(
			`${name}-migrations`,
			{
				databaseName: this.database.databaseName,
				directory: settings.migrationsDirectory,
				migrations: planned.migrations,
				context,
			},
			{ ...child, dependsOn: copy },
		);
		const { applicationConnection } = this.database;
		const testsAt = (moment: StageMoment, subject: pulumi.Input<string>, url?: pulumi.Input<string>) =>
			tested === undefined
				? []
				: declareStages(settings.stages, moment, {
						...tested,
						completes: false,
						subject,
						application: applicationConnection,
						context,
						...(url !== undefined && { url }),
					});
		const schemaTests = testsAt(
			"after-migrations",
			pulumi.interpolate`${name}, deployment ${this.migrations.deploymentId}`,
		);
		this.service = platform.service(
			`${name}-service`,
			{
				...service,
				color: name,
				release,
				requiredSchema,
				database: servers.of(color).fromInside(applicationConnection),
				reachedDatabase: applicationConnection,
				statistics: servers.of(color).statisticsConnection,
				queue: queue.connection,
				cacheNamespace: name,
				readyTimeoutSeconds,
				drainTimeoutSeconds,
				context,
			},
			{ ...child, dependsOn: [this.migrations, ...schemaTests] },
		);
		this.subject = healthSubject(settings, {
			server: servers.of(color),
			database: this.database,
			migrations: planned.migrations,
			color: { servers: servers.connections, color, generation },
		});
		this.health = new ColorHealth(
			`${name}-health`,
			{
				url: this.service.url,
				release,
				targetGroup: this.service.targetGroup,
				migratedBy: this.migrations.deploymentId,
				timeoutSeconds: readyTimeoutSeconds,
				subject: this.subject,
				context,
			},
			child,
		);
		this.stages = testsAt(
			"after-health",
			pulumi.interpolate`${name} as of ${this.health.checkedAt}`,
			this.service.url,
		);
		this.registerOutputs({});
	}

	/** The colour and the service in front of it, as the traffic switch takes them. */
	get side() {
		const { color, generation, release } = this.planned;
		const { targetGroup, insideUrl: url } = this.service;
		return { color, generation, release, targetGroup, url };
	}

	/** What the next update has to know of it. */
	record(
		switchedAt: pulumi.Input<string | undefined>,
	): pulumi.Output<ColorRecord & { url: string; health: string }> {
		const { color: _, ...planned } = this.planned;
		return pulumi
			.all([this.database.databaseName, this.service.url, this.health.checkedAt, switchedAt])
			.apply(([database, url, checkedAt, switched]) => ({
				...planned,
				database,
				url,
				health: `healthy at ${checkedAt}`,
				...(switched !== undefined && { switchedAt: switched }),
			}));
	}
}
