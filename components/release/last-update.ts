import { z } from "zod";
import { environmentNames } from "../settings/environments";
import { platformSchema } from "../settings/schema";
import type { Settings } from "../settings/settings";
import { type LastOutputs, lastOutputsSchema } from "./color-record";

export interface LastUpdate {
	release: string;
	/** Releases that the stack has completed, the newest last. */
	completed: string[];
	/** Of the program that deployed it. */
	programVersion?: string;
	/** Where it was deployed. */
	platform?: Settings["platform"];
	environment?: Settings["environment"];
	/** Versions of the migrations that what is live was deployed with. */
	migrations: string[];
	/** The images of the colours' services, where those are containers, by release. */
	images?: Record<string, string>;
	/** The colours, where there are any. */
	colors?: LastOutputs;
}

const lastUpdateSchema = z.object({
	release: z.string(),
	completed: z.array(z.string()).default([]),
	programVersion: z.string().optional(),
	platform: platformSchema.optional(),
	environment: z.enum(environmentNames).optional(),
	migrations: z.record(z.string(), z.unknown()).default({}),
});

/** The outputs that tell what the last finished update left. */
export const LAST_UPDATE_OUTPUTS = [
	...(Object.keys(lastUpdateSchema.shape) as (keyof typeof lastUpdateSchema.shape)[]),
	"live",
	"colors",
	"nextGeneration",
] as const;

/**
 * Reads from a stack's outputs what its last finished update left; undefined before the first one.
 *
 * @throws Error when they do not tell what the stack's colours are
 */
export function lastUpdateOf(outputs: Readonly<Record<string, unknown>>): LastUpdate | undefined {
	if (typeof outputs.release !== "string") {
		return undefined;
	}
	const { migrations, ...known } = lastUpdateSchema.parse(outputs);
	const common = { ...known, migrations: Object.keys(migrations) };
	const { live, colors, nextGeneration } = outputs;
	if (live === undefined) {
		return common;
	}
	const found = lastOutputsSchema.safeParse({ live, colors, nextGeneration });
	if (!found.success) {
		throw new Error(
			`the stack's outputs do not tell what its colours are:\n${z.prettifyError(found.error)}\n` +
				"put the outputs back with `stack import` of an earlier `stack export`",
		);
	}
	const images = Object.values(found.data.colors).flatMap((color) =>
		color?.service.image === undefined ? [] : [[color.release, color.service.image] as const],
	);
	return {
		...common,
		colors: found.data,
		...(images.length > 0 && { images: Object.fromEntries(images) }),
	};
}
