import { Catalog } from "./components/catalog/catalog";
import { environmentMirror } from "./components/catalog/mirror";
import { ApplicationDatabase } from "./components/database/application-database";
import { DatabaseServer } from "./components/database/server";
import { HealthGate } from "./components/health/health-gate";
import { MigrationSet } from "./components/migrations/migration-set";
import { announcePlan } from "./components/migrations/preview";
import { deploymentContext } from "./components/pipeline/arguments";
import { inOrder } from "./components/release/in-place";
import { readStack } from "./components/release/stack";
import { Service } from "./components/service/service";
import { Route } from "./components/traffic/route";
import { Router } from "./components/traffic/router";

export = async () => {
	const { stack, settings, names, migrations, requiredSchema, plan, first } = await readStack();
	const { release, maxConnections, startTimeoutSeconds, readyTimeoutSeconds, drainTimeoutSeconds } = settings;

	const server = new DatabaseServer("server", {
		directory: names.directory,
		maxConnections,
		port: settings.databasePort,
		startTimeoutSeconds,
	});
	const database = new ApplicationDatabase("database", {
		server,
		databaseName: names.database,
		maxConnections,
	});
	const catalog = new Catalog("catalog", {
		server,
		databaseName: names.catalog,
		environment: environmentMirror(stack, settings, server, database),
	});
	const context = deploymentContext(settings, names, catalog, database);
	const router = new Router(
		"router",
		{ stateFile: names.routerFile, port: settings.gatewayPort, timeoutSeconds: startTimeoutSeconds },
		{ dependsOn: server },
	);

	const { migrated, served } = inOrder(plan, {
		migrate: (after) =>
			new MigrationSet(
				"migrations",
				{ databaseName: database.databaseName, directory: settings.migrationsDirectory, migrations, context },
				{ dependsOn: after },
			),
		serve: (after) => {
			const service = new Service(
				"service",
				{
					directory: names.serviceDirectory,
					entry: settings.serviceEntry,
					release,
					requiredSchema,
					schemaCompatibility: settings.schemaCompatibility,
					poolSize: settings.poolSize,
					logLevel: settings.logLevel,
					debugMode: settings.debugMode,
					database: database.applicationConnection,
					routerFile: names.routerFile,
					readyTimeoutSeconds,
					drainTimeoutSeconds,
					context,
				},
				{ dependsOn: after },
			);
			return new Route("route", {
				publicUrl: router.url,
				stateFile: names.routerFile,
				targetGroup: service.instance,
				targetUrl: service.url,
				release,
				timeoutSeconds: readyTimeoutSeconds,
				context,
			});
		},
	});
	announcePlan(migrated, { migrations, context, first });
	const health = new HealthGate("health", {
		route: served,
		plan,
		release,
		timeoutSeconds: readyTimeoutSeconds,
		migratedBy: migrated.deploymentId,
		context,
	});

	return {
		url: router.url,
		release,
		migrations: Object.fromEntries(migrations.map(({ version, name }) => [version, name])),
		checkedAt: health.checkedAt,
		databaseHost: server.host,
		databasePort: server.port,
		databaseName: database.databaseName,
		databaseUser: database.applicationUser,
		databasePassword: database.applicationPassword,
	};
};
