import { z } from "zod";
import { hasOpenDeployment } from "../catalog/deployments";
import { withCatalog } from "../catalog/session";
import { findFault } from "../health/checks";
import { passChecks } from "../health/pass-checks";
import { windowOf } from "../health/statement-window";
import { subjectSchema } from "../health/subject";
import { deploymentContextSchema } from "../pipeline/context";
import { completeDeployment, inStage } from "../pipeline/deployment";
import { defineProvider } from "../provider/define";
import { colorServersSchema, liveNode, nodeOf, observeNodes } from "../replication/environment";
import { forsakenLinks, letLinksGoOn, sweepForsakenLinks } from "../replication/leftovers";
import { goesOn, withLink } from "../replication/link-state";
import { COLORS, type Node, nodeName } from "../replication/node";
import { pairingsOf } from "../replication/pairings";
import { releaseTraffic } from "./release-traffic";
import { isRouted } from "./routed";
import { openRouter, routerId, routerReferenceSchema } from "./router-reference";

const side = z.object({
	color: z.enum(COLORS),
	generation: z.number(),
	release: z.string(),
	targetGroup: z.string(),
	url: z.string(),
});
const inputs = z.object({
	live: side,
	idle: side.optional(),
	publicUrl: z.string(),
	router: routerReferenceSchema,
	servers: colorServersSchema,
	limits: z.object({
		catchUpTimeoutMs: z.number(),
		maxLagBytes: z.number(),
		longTransactionMs: z.number(),
		endLongTransactions: z.boolean(),
		healthTimeoutMs: z.number(),
		slotTimeoutMs: z.number(),
		pauseTimeoutMs: z.number(),
	}),
	bake: z.object({ seconds: z.number(), maxErrorPercent: z.number(), maxLatencyMs: z.number() }),
	/** Whether this update brings a colour that has not stood its bake yet. */
	isNew: z.boolean(),
	checkedAt: z.array(z.string()),
	subject: subjectSchema,
	context: deploymentContextSchema,
});
const outputs = inputs.extend({ switchedAt: z.string(), pauseMs: z.number() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["servers", "limits", "bake", "isNew", "subject", "context"],
	async create(wanted) {
		return { id: routerId(wanted.router), outputs: await move(wanted) };
	},
	async update(_id, wanted, olds) {
		return move(wanted, olds);
	},
	/**
	 * Where requests really go and whether they are answered, where writes go, whether the colours still follow each other,
	 * and whether an update that died has left anything behind.
	 */
	async isCurrent(_id, { router, live, idle, servers, context }) {
		if (!(await isRouted(router, live))) {
			return false;
		}
		try {
			const found = liveNode(await observeNodes(servers));
			return (
				found !== undefined &&
				nodeName(found.node) === nodeName(live) &&
				found.fence?.open === true &&
				(idle === undefined || (await areLinked(found.node, nodeOf(servers, idle.color, idle.generation)))) &&
				(await forsakenLinks(servers, generations({ live, idle }))).length === 0 &&
				!(await inCatalog(context, (client) => hasOpenDeployment(client, context.environment)))
			);
		} catch (error) {
			// While a server is down, bringing it up is its own step, and shown as that.
			if (error instanceof Error && error.message.startsWith("cannot connect to")) {
				return true;
			}
			throw error;
		}
	},
	/** The router goes with everything else. */
	async delete() {},
});

function generations({ live, idle }: Pick<Inputs, "live" | "idle">): number[] {
	return [live.generation, ...(idle === undefined ? [] : [idle.generation])];
}

function inCatalog<T>(
	{ catalog }: Inputs["context"],
	work: Parameters<typeof withCatalog<T>>[2],
): Promise<T> {
	return withCatalog(catalog, "deployment-traffic", work);
}

/** Whether both links between two colours go on by themselves. */
function areLinked(live: Node, idle: Node): Promise<boolean> {
	return withLink(
		live,
		idle,
		async ({ from, to }) => (await goesOn({ from, to })) && (await goesOn({ from: to, to: from })),
	);
}

async function move(wanted: Inputs, olds?: Outputs): Promise<Outputs> {
	const { context, live } = wanted;
	const { switched, pauseMs } = await inStage(
		context,
		"Switch Traffic",
		`traffic to ${nodeName(live)} (release ${live.release})`,
		async (deploymentId, log) => {
			const moved = await releaseTraffic({
				...wanted,
				router: openRouter(wanted.router),
				checkHealth: async () => (await findFault(wanted.publicUrl, live.release)) || undefined,
				examine: (patienceSeconds) => examine(wanted, deploymentId, patienceSeconds),
				deploymentId,
				log,
			});
			await leaveInOrder(wanted);
			return moved;
		},
	);
	await completeDeployment(context);
	const unchanged = !switched && olds !== undefined && nodeName(olds.live) === nodeName(live);
	return {
		...wanted,
		switchedAt: unchanged ? olds.switchedAt : new Date().toISOString(),
		pauseMs: unchanged ? olds.pauseMs : pauseMs,
	};
}

/** The live colour where its clients meet it, with the links to the other one. */
function examine(
	{ subject, publicUrl, live, context }: Inputs,
	deploymentId: number,
	timeoutSeconds: number,
) {
	const { color } = subject;
	const since = windowOf(subject.application);
	return passChecks({
		subject,
		url: publicUrl,
		release: live.release,
		...(since && { since }),
		...(color && { links: () => pairingsOf(color.servers, color) }),
		timeoutSeconds,
		context,
		deploymentId,
		log: console.log,
	});
}

/**
 * Once an update watches no more: links go on by themselves, and what a colour that was given up has left on the others
 * is taken away, such as that of a copy which was killed, of which the stack's state does not know. While a new colour
 * takes the place of an older one, that one still has its links.
 */
async function leaveInOrder({ isNew, live, idle, servers }: Inputs): Promise<void> {
	try {
		if (!isNew) {
			await sweepForsakenLinks(servers, generations({ live, idle }), console.log);
		}
		await letLinksGoOn(servers);
	} catch (error) {
		const why = error instanceof Error ? error.message : String(error);
		console.log(`not everything could be left in order, the next update tries again: ${why}`);
	}
}
