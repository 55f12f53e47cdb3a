import * as pulumi from "@pulumi/pulumi";
import { Catalog } from "../catalog/catalog";
import { environmentMirror } from "../catalog/mirror";
import { ColorServerPair } from "../database/color-servers";
import { guardDestruction } from "../guards/destroy-guard";
import { programVersion } from "../guards/program-version";
import { completedWith } from "../guards/promotion";
import { Watcher } from "../monitoring/watcher";
import { platformOf } from "../platform/place";
import { Queue } from "../queue/queue";
import { type BlueGreenPlan, planBlueGreen } from "../release/blue-green";
import { desiredRelease } from "../release/desired-release";
import { asRunError, type StackInputs } from "../release/stack";
import { COLORS, otherColor } from "../replication/node";
import type { Settings } from "../settings/settings";
import { TrafficSwitch } from "../traffic/traffic-switch";
import { announceRelease } from "./announce-release";
import { ColorStack, type ColorStackArgs } from "./color-stack";

/**
 * Two colours: the live one, and one to release to or to go back to. A new release is built beside the live one, gets
 * its rows while they go on changing, is migrated and checked there, and then takes the traffic. The colour before it
 * stays in step; the one before that is no longer declared, and so dropped, when all of this has gone well.
 */
export function deployBlueGreen(inputs: StackInputs) {
	const { stack, settings, names } = inputs;
	const { release, maxConnections } = settings;
	const plan = planOf(inputs);

	const platform = platformOf(inputs);
	const servers = new ColorServerPair("server", {
		platform,
		base: names.base,
		maxConnections,
		serverPerColor: settings.serverPerColor,
	});
	const catalog = new Catalog("catalog", {
		server: servers.first,
		databaseName: names.catalog,
		environment: environmentMirror(stack, settings, servers.first, {
			databaseName: names.base,
			applicationUser: names.base,
		}),
	});
	const watcher = new Watcher("watcher", { catalog, servers: servers.all });
	const queue = new Queue("queue", {
		server: servers.first,
		databaseName: names.queue,
		passwordGeneration: settings.passwordGeneration,
		serviceProcesses: platform.serviceProcesses,
	});
	const router = platform.router("router", { dependsOn: servers });

	const colors = declareColors(plan, inputs, { platform, servers, router, catalog, queue });
	const live = colorOf(colors, plan.live);
	const idle = colors.find(({ planned }) => planned.color === otherColor(plan.live));
	announceRelease(plan, inputs, live, idle);

	const traffic = new TrafficSwitch(
		"traffic",
		{
			live: live.side,
			...(idle && { idle: idle.side }),
			publicUrl: router.url,
			router: router.reference,
			servers: servers.connections,
			limits: cutoverLimits(settings),
			bake: {
				seconds: settings.bakeSeconds,
				maxErrorPercent: settings.bakeMaxErrorPercent,
				maxLatencyMs: settings.bakeMaxLatencyMilliseconds,
			},
			isNew: plan.kind === "build",
			checkedAt: colors.map(({ health }) => health.checkedAt),
			subject: live.subject,
			context: live.context,
		},
		{ dependsOn: colors.flatMap(({ health, stages }) => [health, ...stages]) },
	);

	guardDestruction(stack, settings, [
		...platform.resources,
		...[servers, catalog, watcher, queue, router.resource],
		...[...colors, traffic],
	]);

	const { last } = inputs;
	return {
		url: router.url,
		release,
		environment: settings.environment,
		strategy: settings.strategy,
		platform: settings.platform,
		catalog: watcher.catalogConnection,
		servers: Object.fromEntries(COLORS.map((color) => [color, watcher.serverConnection(servers.of(color))])),
		live: pulumi.output(traffic.switchedAt).apply(() => plan.live),
		completed: traffic.switchedAt.apply(() => completedWith(last?.completed ?? [], release)),
		programVersion: programVersion(),
		colors: Object.fromEntries(
			colors.map((color) => [
				color.planned.color,
				color.record(
					color === live ? traffic.switchedAt : last?.colors?.colors[color.planned.color]?.switchedAt,
				),
			]),
		),
		nextGeneration: plan.nextGeneration,
		migrations: Object.fromEntries(
			Object.entries(live.planned.migrations).map(([version, { name }]) => [version, name]),
		),
		checkedAt: live.health.checkedAt,
		pauseMs: traffic.pauseMs,
		databaseHost: servers.of(plan.live).host,
		databasePort: servers.of(plan.live).port,
		databaseName: live.database.databaseName,
		databaseUser: live.database.applicationUser,
		databasePassword: live.database.applicationPassword,
	};
}

function planOf({ settings, last, ...files }: StackInputs): BlueGreenPlan {
	return asRunError(() => planBlueGreen(last?.colors, desiredRelease(settings, files)));
}

/** Older generations first: a newer one is copied from them. */
function declareColors(
	plan: BlueGreenPlan,
	{ settings, names }: StackInputs,
	shared: Pick<ColorStackArgs, "platform" | "servers" | "router" | "catalog" | "queue">,
): ColorStack[] {
	const planned = [...plan.colors].sort((left, right) => left.generation - right.generation);
	const declared: ColorStack[] = [];
	for (const each of planned) {
		const older = declared.at(-1);
		declared.push(
			new ColorStack({
				planned: each,
				settings,
				names,
				...shared,
				...(older && { older }),
				...(each.color === plan.live && { tested: { due: plan.kind === "first" || plan.kind === "build" } }),
			}),
		);
	}
	return declared;
}

function colorOf(colors: readonly ColorStack[], wanted: string): ColorStack {
	const found = colors.find(({ planned }) => planned.color === wanted);
	if (found === undefined) {
		throw new Error(`the plan gives the traffic to ${wanted}, which it does not declare`);
	}
	return found;
}

function cutoverLimits(settings: Settings) {
	return {
		catchUpTimeoutMs: settings.catchUpTimeoutSeconds * 1000,
		maxLagBytes: settings.maxLagKilobytes * 1024,
		longTransactionMs: settings.longTransactionSeconds * 1000,
		endLongTransactions: settings.endLongTransactions,
		healthTimeoutMs: settings.readyTimeoutSeconds * 1000,
		slotTimeoutMs: settings.slotTimeoutSeconds * 1000,
		pauseTimeoutMs: settings.pauseTimeoutMilliseconds,
	};
}
