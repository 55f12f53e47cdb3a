import { z } from "zod";
import { deploymentContextSchema } from "../pipeline/context";
import { inStage } from "../pipeline/deployment";
import { defineProvider } from "../provider/define";
import { pairingsOf, pairingsOfNew } from "../replication/pairings";
import { passChecks } from "./pass-checks";
import { readHealth, reportedHealthSchema, reportHealth } from "./reported-health";
import { windowOf } from "./statement-window";
import { subjectSchema } from "./subject";

const inputs = z.object({
	url: z.string(),
	release: z.string(),
	/** The service process: another one is checked anew. */
	targetGroup: z.string(),
	/** The deployment that last migrated its database: the service is checked anew after it. */
	migratedBy: z.number(),
	timeoutSeconds: z.number(),
	subject: subjectSchema,
	context: deploymentContextSchema,
});
const outputs = inputs.extend(reportedHealthSchema.shape);

type Inputs = z.infer<typeof inputs>;
type Outputs = z.infer<typeof outputs>;

export const provider = defineProvider<Inputs, Outputs>({
	inputs,
	outputs,
	ignore: ["timeoutSeconds", "context"],
	async create(wanted) {
		return { id: wanted.targetGroup, outputs: await check(wanted) };
	},
	async update(_id, wanted) {
		return check(wanted);
	},
	/** With the links both ways, which only a colour that was live has. */
	async read(_id, olds) {
		const { color } = olds.subject;
		return readHealth(olds, { ...olds, ...(color && { links: () => pairingsOf(color.servers, color) }) });
	},
	async delete() {},
});

async function check(wanted: Inputs): Promise<Outputs> {
	const { context, release, subject } = wanted;
	const { color } = subject;
	const since = windowOf(subject.application);
	const results = await inStage(
		context,
		"Health Checks",
		`health of release ${release} before it gets traffic`,
		(deploymentId, log) =>
			passChecks({
				...wanted,
				...(since && { since }),
				...(color && { links: () => pairingsOfNew(color.servers, color) }),
				deploymentId,
				log,
			}),
	);
	return { ...wanted, ...reportHealth(results) };
}
