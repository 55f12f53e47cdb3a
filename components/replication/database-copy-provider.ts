import { userInfo } from "node:os";
import { z } from "zod";
import { GatewayError } from "../../gateway/client";
import { noteBuilding, noteColor, noteDropped } from "../catalog/blue-green";
import { withCatalog } from "../catalog/session";
import { loadMigrations } from "../migrations/files";
import { listEntries, migrationEntriesSchema } from "../migrations/migration-entries";
import { isUpToDate } from "../migrations/status";
import { deploymentContextSchema } from "../pipeline/context";
import { inStage } from "../pipeline/deployment";
import { recordStep } from "../pipeline/step-log";
import { defineProvider } from "../provider/define";
import { openRouter, routerReferenceSchema } from "../traffic/router-reference";
import { RouterUnreachable } from "../traffic/routing";
import { endStandstill, isAtStandstill, type StandstillOptions } from "../traffic/standstill";
import { detachNode } from "./detach";
import { colorServersSchema, liveNode, nodeOf, type ObservedNode, observeNodes } from "./environment";
import { withLink } from "./link-state";
import { COLORS, nodeName } from "./node";
import { isInStep, putInStep } from "./put-in-step";

const inputs = z.object({
	color: z.enum(COLORS),
	generation: z.number().int(),
	/** Those of the release by version, to look beforehand at what they will do. */
	migrations: migrationEntriesSchema,
	directory: z.string(),
	router: routerReferenceSchema,
	servers: colorServersSchema,
	workers: z.number(),
	verification: z.enum(["checksums", "counts"]),
	copyTimeoutSeconds: z.number(),
	slotTimeoutSeconds: z.number(),
	catchUpTimeoutSeconds: z.number(),
	maxLagBytes: z.number(),
	context: deploymentContextSchema,
});

type Inputs = z.infer<typeof inputs>;

export const provider = defineProvider<Inputs, Inputs>({
	inputs,
	outputs: inputs,
	replaceOn: ["color", "generation"],
	ignore: [
		"directory",
		"router",
		"servers",
		"workers",
		"verification",
		"copyTimeoutSeconds",
		"slotTimeoutSeconds",
		"catchUpTimeoutSeconds",
		"maxLagBytes",
		"context",
	],
	async create(wanted) {
		await bringInStep(wanted);
		return { id: nodeName(wanted), outputs: wanted };
	},
	async update(_id, wanted) {
		await bringInStep(wanted);
		return wanted;
	},
	/**
	 * Whether writes come through, and the colour is in step. The latter only before it gets the traffic for the first
	 * time: what keeps it in step later is the cutover's concern.
	 */
	async isCurrent(_id, outputs) {
		try {
			const observed = await observeNodes(outputs.servers);
			return (
				!(await isAtStandstill(observed, trafficOf(outputs))) && (await isReadyForTraffic(observed, outputs))
			);
		} catch (error) {
			// While a server or the router is down, bringing it up is its own step, and shown as that.
			if (
				error instanceof RouterUnreachable ||
				(error instanceof Error && error.message.startsWith("cannot connect to"))
			) {
				return true;
			}
			throw error;
		}
	},
	async delete(_id, { servers, color, generation, context }) {
		await detachNode(servers, color, generation);
		const dropped = nodeOf(servers, color, generation);
		const left = (await observeNodes(servers)).map(({ node }) => node).reverse();
		await inCatalog(context, (catalog) =>
			noteDropped(
				catalog,
				dropped,
				left.find((node) => node.color === color && node.generation !== generation),
			),
		);
	},
});

async function isReadyForTraffic(
	observed: readonly ObservedNode[],
	{ servers, color, generation }: Inputs,
): Promise<boolean> {
	const node = nodeOf(servers, color, generation);
	const own = observed.find((other) => nodeName(other.node) === nodeName(node));
	const live = liveNode(observed);
	if (own === undefined || live === undefined || own === live || hadTraffic(own)) {
		return true;
	}
	return withLink(live.node, node, isInStep);
}

function hadTraffic({ fence }: ObservedNode): boolean {
	return (fence?.epoch ?? 0) > 0;
}

function trafficOf({ servers, router }: Inputs): StandstillOptions {
	return { servers, router: openRouter(router) };
}

/** Writes that are refused since an update died in its cutover come first: what this one has to do may take long. */
async function resumeTraffic(wanted: Inputs): Promise<void> {
	const traffic = trafficOf(wanted);
	if (!(await isAtStandstill(await observeNodes(wanted.servers), traffic))) {
		return;
	}
	const step = "traffic that an update left standing";
	await inStage(wanted.context, "Build Database Schema", step, (_deploymentId, log) =>
		endStandstill({ ...traffic, log }).catch((error: unknown) => {
			if (!(error instanceof GatewayError || error instanceof RouterUnreachable)) {
				throw error;
			}
			// A router that does not run yet serves nobody: the cutover sends it where requests belong.
			log(error.message);
		}),
	);
}

async function bringInStep(wanted: Inputs): Promise<void> {
	await resumeTraffic(wanted);
	const { context, servers, color, generation } = wanted;
	const target = nodeOf(servers, color, generation);
	const observed = await observeNodes(servers);
	const live = liveNode(observed)?.node;
	if (live === undefined || nodeName(live) === nodeName(target)) {
		return;
	}
	const own = observed.find(({ node }) => nodeName(node) === nodeName(target));
	if (
		own !== undefined &&
		hadTraffic(own) &&
		(await isUpToDate(context.target, listEntries(wanted.migrations)))
	) {
		return;
	}
	const step = `copy to ${nodeName(target)}`;
	await inStage(context, "Build Database Schema", step, async (deploymentId, log) => {
		await inCatalog(context, (catalog) => noteBuilding(catalog, target, context.release));
		const wantedVersions = new Set(Object.keys(wanted.migrations));
		await putInStep({
			source: live,
			target,
			targetOwner: context.target,
			wanted: loadMigrations(wanted.directory).filter(({ version }) => wantedVersions.has(version)),
			catalog: context.catalog,
			deploymentId,
			appliedBy: userInfo().username,
			backupDirectory: context.backupDirectory,
			migrations: context.migrations,
			workers: wanted.workers,
			verification: wanted.verification,
			copyTimeoutMs: wanted.copyTimeoutSeconds * 1000,
			slotTimeoutMs: wanted.slotTimeoutSeconds * 1000,
			catchUpTimeoutMs: wanted.catchUpTimeoutSeconds * 1000,
			maxLagBytes: wanted.maxLagBytes,
			log,
			step: (name) => recordStep(context, deploymentId, `${nodeName(target)}: ${name}`),
		});
		await inCatalog(context, (catalog) =>
			noteColor(catalog, context.environment, target, context.release, "deploying"),
		);
	});
}

function inCatalog(
	{ catalog }: Inputs["context"],
	work: Parameters<typeof withCatalog<void>>[2],
): Promise<void> {
	return withCatalog(catalog, "deployment-copy", work);
}
