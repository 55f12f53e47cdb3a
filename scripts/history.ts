import { parseArgs } from "node:util";
import { withClient } from "../components/database/connection";
import { historyText, liveText } from "../components/history/history-text";
import { joinHistory } from "../components/history/join";
import { liveAt, type RecordedRelease, recordedReleases } from "../components/history/recorded-release";
import { run } from "./run";
import { openStack } from "./stack-access";
import { stackOf } from "./stack-environment";
import { stackHistory } from "./stack-history";

const USAGE = "usage: npm run history -- --stack <stack> [--at <time, such as 2026-01-31T08:00Z>] [--json]";

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const { stack, json, at } = options;
	if (at !== undefined) {
		const live = liveAt(await catalogOf(stack), at);
		console.log(
			json ? JSON.stringify({ at: at.toISOString(), live: live ?? null }, null, 2) : liveText(at, live),
		);
		return live === undefined ? 1 : 0;
	}
	const updates = await stackHistory(stack);
	const recorded = await catalogOf(stack).catch((error: unknown) => {
		const why = error instanceof Error ? error.message : String(error);
		console.error(`the catalog cannot be asked, so this is the engine's history alone: ${why}`);
		return [];
	});
	const entries = joinHistory(updates, recorded);
	console.log(json ? JSON.stringify(entries, null, 2) : historyText(entries));
	return 0;
}

function readOptions(args: string[]): { stack: string; json: boolean; at?: Date } | undefined {
	try {
		const { values } = parseArgs({
			args,
			options: {
				stack: { type: "string", short: "s" },
				json: { type: "boolean", default: false },
				at: { type: "string" },
			},
		});
		const stack = stackOf(args, process.env);
		const at = values.at === undefined ? undefined : new Date(values.at);
		return stack === undefined || (at !== undefined && Number.isNaN(at.getTime()))
			? undefined
			: { stack, json: values.json, ...(at && { at }) };
	} catch {
		// An option that there is not.
		return undefined;
	}
}

async function catalogOf(stack: string): Promise<RecordedRelease[]> {
	const { catalog } = await openStack(stack);
	return withClient(catalog, { applicationName: "deployment-history" }, recordedReleases);
}

// `npm run history -- --stack local`: who released what, when, from which commit, and how it ended.
run(main);
