import { userInfo } from "node:os";
import { z } from "zod";
import { noteBuilding, noteColor, noteDropped } from "../catalog/blue-green";
import { withClient } from "../database/connection";
import { loadMigrations } from "../migrations/files";
import { deploymentContextSchema } from "../pipeline/context";
import { inDeployment } from "../pipeline/deployment";
import { recordStep } from "../pipeline/step-log";
import { defineProvider } from "../provider/define";
import { detachNode } from "./detach";
import { colorServersSchema, liveNode, nodeOf, observeNodes } from "./environment";
import { withLink } from "./link-state";
import { COLORS, type Node, nodeName } from "./node";
import { isInStep, putInStep } from "./put-in-step";

const inputs = z.object({
	color: z.enum(COLORS),
	generation: z.number().int(),
	/** Versions of the release, to look beforehand at what they will do. */
	versions: z.array(z.string()),
	directory: z.string(),
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
		"versions",
		"directory",
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
	/** Only before a colour gets the traffic for the first time; what keeps it in step later is the cutover's concern. */
	async isCurrent(_id, { servers, color, generation }) {
		return isReadyForTraffic(nodeOf(servers, color, generation), servers);
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

async function isReadyForTraffic(node: Node, servers: Inputs["servers"]): Promise<boolean> {
	try {
		const observed = await observeNodes(servers);
		const own = observed.find((other) => nodeName(other.node) === nodeName(node));
		const live = liveNode(observed);
		if (own === undefined || live === undefined || own === live || (own.fence?.epoch ?? 0) > 0) {
			return true;
		}
		return await withLink(live.node, node, isInStep);
	} catch (error) {
		// While a server is down, bringing it up is its own step, and shown as that.
		if (error instanceof Error && error.message.startsWith("cannot connect to")) {
			return true;
		}
		throw error;
	}
}

async function bringInStep(wanted: Inputs): Promise<void> {
	const { context, servers, color, generation, versions } = wanted;
	const target = nodeOf(servers, color, generation);
	const observed = await observeNodes(servers);
	const live = liveNode(observed)?.node;
	if (live === undefined || nodeName(live) === nodeName(target)) {
		return;
	}
	await inDeployment(context, `copy to ${nodeName(target)}`, async (deploymentId) => {
		await inCatalog(context, (catalog) => noteBuilding(catalog, target, context.release));
		const wantedVersions = new Set(versions);
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
			log: console.log,
			step: (name) => recordStep(context, deploymentId, `${nodeName(target)}: ${name}`),
		});
		await inCatalog(context, (catalog) =>
			noteColor(catalog, context.environment, target, context.release, "deploying"),
		);
	});
}

function inCatalog(
	{ catalog }: Inputs["context"],
	work: Parameters<typeof withClient<void>>[2],
): Promise<void> {
	return withClient(catalog, { applicationName: "deployment-copy" }, work);
}
