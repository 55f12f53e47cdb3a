import { z } from "zod";
import { connectionSchema, withClient } from "../database/connection";
import { defineProvider } from "../provider/define";
import { movedRouteSchema, withdrawRoute } from "../traffic/local/withdraw-route";
import { fenceState, installFence } from "../traffic/write-fence";
import { type DeploymentContext, deploymentContextSchema } from "./context";
import { completeDeployment, inStage, type StageLog } from "./deployment";
import { runStage } from "./run-stage";
import { proxyPasswords, stageEnvironment } from "./stage-environment";
import { STAGE_MOMENTS } from "./stage-list";

const inputs = z.object({
	name: z.string(),
	when: z.enum(STAGE_MOMENTS),
	command: z.array(z.string()).min(1),
	timeoutSeconds: z.number(),
	/** What is tested: another value is something else, which is tested anew. */
	subject: z.string(),
	/** Whether this update brings anything to test. */
	due: z.boolean(),
	/** Whether the deployment is done with this stage. */
	completes: z.boolean(),
	url: z.string().optional(),
	/** How the traffic came to what is tested, where it has it already. */
	route: movedRouteSchema.optional(),
	application: connectionSchema,
	context: deploymentContextSchema,
});
const outputs = inputs.extend({ ranAt: z.string() });

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["timeoutSeconds", "due", "completes", "url", "route", "application", "context"],
	isDue: ({ due }) => due !== false,
	async create(wanted) {
		return { id: wanted.name, outputs: await run(wanted) };
	},
	async update(_id, wanted) {
		return run(wanted);
	},
	/** What a stage has found out needs no taking back. */
	async delete() {},
});

async function run(wanted: Inputs): Promise<Outputs> {
	const { name, context, route, due, completes } = wanted;
	if (!due) {
		return { ...wanted, ranAt: "never" };
	}
	await inStage(context, name, `stage "${name}"`, async (id, log) => {
		try {
			await test(wanted, log);
		} catch (error) {
			throw route === undefined
				? error
				: await withdrawRoute(route, { id, context, type: "automatic" }, error);
		}
	});
	if (completes) {
		await completeDeployment(context);
	}
	return { ...wanted, ranAt: new Date().toISOString() };
}

async function test(wanted: Inputs, log: StageLog): Promise<void> {
	const { name, command, timeoutSeconds, url, application, context } = wanted;
	const { environment, release, settings, target: owner } = context;
	const writes = await preparedWrites(context);
	await runStage({
		command,
		directory: process.cwd(),
		environment: stageEnvironment(
			{
				name,
				environment,
				strategy: context.onFailure === "keep" ? "blue-green" : "in-place",
				release,
				writes,
				owner,
				application,
				settings,
				...(url !== undefined && { url }),
			},
			process.env,
		),
		timeoutMs: timeoutSeconds * 1000,
		secrets: [owner.password, application.password, context.catalog.password, ...proxyPasswords(process.env)],
		log,
	});
}

/**
 * A colour that has never had the traffic gets its fence before anything is tried on it, the tables that its migrations
 * have brought included: what a test sends to the service must not stay.
 */
async function preparedWrites({ onFailure, target }: DeploymentContext): Promise<"served" | "refused"> {
	return withClient(target, { applicationName: "deployment-stage" }, async (client) => {
		if (onFailure === "keep") {
			await installFence(client, target.user, FENCE_TIMEOUT_MS);
		}
		return (await fenceState(client))?.open === false ? "refused" : "served";
	});
}

const FENCE_TIMEOUT_MS = 30_000;
