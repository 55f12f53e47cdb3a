/** The record of every update, two files each: what was done, and the state after it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Backend } from "./backend";
import type { Setting } from "./config";
import { EngineError } from "./errors";
import { namesIn, readJson, writeAtomically } from "./files";
import type { StackName } from "./project";

export type UpdateKind = "update" | "refresh" | "destroy" | "import";

/** How many resources each operation was done to, by the operation's name (`create`, `same`, ...). */
export type ResourceChanges = { [operation: string]: number };

const UpdateRecord = z.looseObject({
	kind: z.string(),
	/** Seconds since 1970. */
	startTime: z.number(),
	message: z.string(),
	environment: z.record(z.string(), z.string()).nullish(),
	config: z.record(z.string(), z.json()).nullish(),
	version: z.number(),
	result: z.string(),
	endTime: z.number(),
	resourceChanges: z.record(z.string(), z.number()).nullish(),
});

export type UpdateRecord = z.infer<typeof UpdateRecord>;

export interface NewRecord {
	kind: UpdateKind;
	startTime: Date;
	message: string;
	environment: { [name: string]: string };
	settings: Setting[];
	succeeded: boolean;
	resourceChanges: ResourceChanges;
}

/** Writes the record and the copies of the state that go with it. */
export function addToHistory(
	backend: Backend,
	name: StackName,
	record: NewRecord,
	env: NodeJS.ProcessEnv,
): void {
	const nanoseconds = `${BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)}`;
	const prefix = join(backend.historyDirectory(name), `${name.stack}-${nanoseconds}`);
	const content: UpdateRecord = {
		kind: record.kind,
		startTime: Math.floor(record.startTime.getTime() / 1000),
		message: record.message,
		environment: record.environment,
		config: Object.fromEntries(record.settings.map(({ key, raw }) => [key, raw])),
		version: 0,
		result: record.succeeded ? "succeeded" : "failed",
		endTime: Math.floor(Date.now() / 1000),
	};
	if (Object.keys(record.resourceChanges).length > 0) content.resourceChanges = record.resourceChanges;
	writeAtomically(`${prefix}.history.json`, JSON.stringify(content));
	writeAtomically(`${prefix}.checkpoint.json`, readFileSync(backend.stateFile(name), "utf8"));
	if (!isTrue(env.PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS)) backend.backUp(name, nanoseconds);
}

function isTrue(value: string | undefined): boolean {
	return value === "1" || value?.toLowerCase() === "true";
}

/** All records, newest first. */
export function readHistory(backend: Backend, name: StackName): UpdateRecord[] {
	const directory = backend.historyDirectory(name);
	return namesIn(directory)
		.filter((entry) => entry.endsWith(".history.json"))
		.reverse()
		.map((entry) => {
			const result = UpdateRecord.safeParse(readJson(join(directory, entry)));
			if (!result.success) {
				throw new EngineError(
					`${join(directory, entry)} is no update record:\n${z.prettifyError(result.error)}`,
				);
			}
			return result.data;
		});
}
