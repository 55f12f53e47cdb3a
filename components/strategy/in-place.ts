import * as pulumi from "@pulumi/pulumi";
import { Catalog } from "../catalog/catalog";
import { environmentMirror } from "../catalog/mirror";
import { ApplicationDatabase } from "../database/application-database";
import { DatabaseServer } from "../database/server";
import { guardDestruction } from "../guards/destroy-guard";
import { programVersion } from "../guards/program-version";
import { completedWith } from "../guards/promotion";
import { healthSubject } from "../health/arguments";
import { HealthGate } from "../health/health-gate";
import { migrationEntries } from "../migrations/migration-entries";
import { MigrationSet } from "../migrations/migration-set";
import { announcePlan } from "../migrations/preview";
import { Watcher } from "../monitoring/watcher";
import { deploymentContext } from "../pipeline/arguments";
import { declareStages } from "../pipeline/stage";
import { LocalPlatform } from "../platform/local";
import { Queue } from "../queue/queue";
import { inOrder, planInPlace } from "../release/in-place";
import type { StackInputs } from "../release/stack";
import { routedRelease } from "../traffic/local/router-file";
import { Route } from "../traffic/route";

/** One database, migrated where it is: the schema grows before the new service starts, and shrinks after the old one is back. */
export function deployInPlace({ stack, settings, names, migrations, requiredSchema, last }: StackInputs) {
	const { release, maxConnections, readyTimeoutSeconds, drainTimeoutSeconds } = settings;
	const plan = planInPlace(
		[last?.release, routedRelease(names.routerFile)].filter((live) => live !== undefined),
		release,
	);

	const platform = new LocalPlatform(names, settings);
	const server = new DatabaseServer("server", { platform, holds: "first", maxConnections });
	const database = new ApplicationDatabase("database", {
		server,
		databaseName: names.database,
		maxConnections,
		passwordGeneration: settings.passwordGeneration,
	});
	const catalog = new Catalog("catalog", {
		server,
		databaseName: names.catalog,
		environment: environmentMirror(stack, settings, server, database),
	});
	const watcher = new Watcher("watcher", { catalog, servers: [server] });
	const { passwordGeneration } = settings;
	const queue = new Queue("queue", { server, databaseName: names.queue, passwordGeneration });
	const context = deploymentContext(settings, names, catalog, database);
	const router = platform.router("router", { dependsOn: server });

	const tested = { due: true, application: database.applicationConnection, context };
	const {
		migrated,
		tested: schemaTests,
		served,
	} = inOrder(plan, {
		migrate: (after) =>
			new MigrationSet(
				"migrations",
				{
					databaseName: database.databaseName,
					directory: settings.migrationsDirectory,
					migrations: migrationEntries(migrations),
					context,
				},
				{ dependsOn: after },
			),
		test: ({ deploymentId }) =>
			declareStages(settings.stages, "after-migrations", {
				...tested,
				subject: pulumi.interpolate`deployment ${deploymentId}`,
				completes: false,
			}),
		serve: (after) => {
			const service = platform.service(
				"service",
				{
					color: "",
					entry: settings.serviceEntry,
					release,
					requiredSchema,
					schemaCompatibility: settings.schemaCompatibility,
					poolSize: settings.poolSize,
					logLevel: settings.logLevel,
					debugMode: settings.debugMode,
					database: database.applicationConnection,
					reachedDatabase: database.applicationConnection,
					statistics: server.statisticsConnection,
					queue: queue.connection,
					cacheNamespace: names.database,
					readyTimeoutSeconds,
					drainTimeoutSeconds,
					context,
				},
				{ dependsOn: after },
			);
			return new Route("route", {
				publicUrl: router.url,
				stateFile: names.routerFile,
				targetGroup: service.targetGroup,
				targetUrl: service.url,
				release,
				timeoutSeconds: readyTimeoutSeconds,
				context,
			});
		},
	});
	announcePlan(migrated, { migrations, context, first: last === undefined });
	const hasTests = settings.stages.some(({ when }) => when === "after-health");
	const testedAt = schemaTests.at(-1)?.ranAt;
	const health = new HealthGate("health", {
		route: served,
		plan,
		release,
		timeoutSeconds: readyTimeoutSeconds,
		migratedBy: migrated.deploymentId,
		subject: healthSubject(settings, { server, database, migrations: migrationEntries(migrations) }),
		...(testedAt && { testedAt }),
		completes: !hasTests,
		context,
	});
	const stages = declareStages(settings.stages, "after-health", {
		...tested,
		subject: health.checkedAt,
		completes: true,
		url: router.url,
		route: {
			previousGroup: served.previousGroup,
			previousUrl: served.previousUrl,
			routerFile: served.stateFile,
			routedBy: served.deploymentId,
			plan,
		},
	});

	guardDestruction(stack, settings, [
		...platform.resources,
		server,
		catalog,
		watcher,
		queue,
		router.resource,
		database,
		migrated,
		health,
		...stages,
	]);

	return {
		url: router.url,
		release,
		environment: settings.environment,
		strategy: settings.strategy,
		platform: settings.platform,
		catalog: watcher.catalogConnection,
		completed: pulumi
			.all([health.checkedAt, ...stages.map(({ ranAt }) => ranAt)])
			.apply(() => completedWith(last?.completed ?? [], release)),
		programVersion: programVersion(),
		migrations: Object.fromEntries(migrations.map(({ version, name }) => [version, name])),
		checkedAt: health.checkedAt,
		databaseHost: server.host,
		databasePort: server.port,
		databaseName: database.databaseName,
		databaseUser: database.applicationUser,
		databasePassword: database.applicationPassword,
	};
}
