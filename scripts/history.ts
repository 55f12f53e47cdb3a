import { withClient } from "../components/database/connection";
import { askedTime } from "../components/history/asked-time";
import { historyText, liveText } from "../components/history/history-text";
import { joinHistory } from "../components/history/join";
import { liveAt } from "../components/history/live-release";
import { type RecordedRelease, recordedReleases } from "../components/history/recorded-release";
import { run } from "./run";
import { openStack } from "./stack-access";
import { stackHistory } from "./stack-history";
import { stackOptions } from "./stack-options";

const USAGE =
	"usage: npm run history -- --stack <stack> [--at <time with zone, such as 2026-01-31T08:00Z>] [--json]";

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	return options.at === undefined ? showAll(options) : showLive(options, options.at);
}

async function showLive({ stack, json }: Options, asked: string): Promise<number> {
	let at: Date;
	try {
		at = askedTime(asked, new Date());
	} catch (error) {
		console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
		return 2;
	}
	const live = liveAt(await catalogOf(stack), at);
	console.log(
		json ? JSON.stringify({ at: at.toISOString(), live: live ?? null }, null, 2) : liveText(at, live),
	);
	return live === undefined ? 1 : 0;
}

async function showAll({ stack, json }: Options): Promise<number> {
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

interface Options {
	stack: string;
	json: boolean;
	at?: string;
}

function readOptions(args: string[]): Options | undefined {
	const asked = stackOptions(args, {
		json: { type: "boolean", default: false },
		at: { type: "string" },
	});
	const { json = false, at } = asked?.values ?? {};
	return asked && { stack: asked.stack, json, ...(at !== undefined && { at }) };
}

async function catalogOf(stack: string): Promise<RecordedRelease[]> {
	const { catalog } = await openStack(stack);
	return withClient(catalog, { applicationName: "deployment-history" }, recordedReleases);
}

// `npm run history -- --stack local`: who released what, when, from which commit, and how it ended.
run(main);
