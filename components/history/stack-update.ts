import { z } from "zod";

/** An entry of `stack history --json`, the same from both engines. */
const stackUpdateSchema = z.object({
	/** `update`, `refresh`, `destroy` or `import`. */
	kind: z.string(),
	/** `succeeded`, `failed` or `in-progress`. */
	result: z.string(),
	startTime: z.string().default("an unknown day"),
	endTime: z.string().default("an unknown day"),
	message: z.string().default(""),
	environment: z.record(z.string(), z.string()).nullish(),
	config: z.record(z.string(), z.object({ value: z.string().optional() })).nullish(),
});

export interface StackUpdate extends Omit<z.infer<typeof stackUpdateSchema>, "environment" | "config"> {
	/** The release in the stack file at that time; undefined when there was none, or a secret one. */
	release?: string;
	/** The setting `serviceImage` of that time. */
	image?: string;
	commit?: string;
	author?: string;
	/** Of the CI system that made it; the same when it runs again. */
	build?: string;
}

/**
 * Reads a stack's history.
 *
 * @param keys the full keys of the release and of the service's image in the stack config
 */
export function readHistory(history: unknown, keys: { release: string; image: string }): StackUpdate[] {
	return z
		.array(stackUpdateSchema)
		.parse(history)
		.map(({ config, environment, ...update }) => {
			const release = config?.[keys.release]?.value;
			const image = config?.[keys.image]?.value;
			const { "git.head": commit, "git.author": author, "ci.build.id": build } = environment ?? {};
			return {
				...update,
				...(release !== undefined && { release }),
				...(image !== undefined && { image }),
				...(commit && { commit }),
				...(author && { author }),
				...(build && { build }),
			};
		});
}
