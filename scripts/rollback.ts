import { z } from "zod";
import { lastGoodRelease, type PastUpdate } from "../components/release/last-good";
import { chooseEngine, runPulumi } from "./engine";
import { projectName } from "./project";
import { run } from "./run";
import { stackOf } from "./stack-environment";

const USAGE = "usage: npm run rollback -- --stack <stack> [--dry-run]";
const DRY_RUN = "--dry-run";

async function main(args: string[]): Promise<number> {
	const stack = stackOf(args, process.env);
	if (stack === undefined || !areKnown(args)) {
		console.error(USAGE);
		return 2;
	}
	const { present, release, deployedAt } = lastGoodRelease(await historyOf(stack));
	console.log(`${stack} goes back from release ${present} to ${release}, last deployed on ${deployedAt}`);
	if (args.includes(DRY_RUN)) {
		console.log("nothing was changed, as this was a dry run");
		return 0;
	}
	const set = await runPulumi(["config", "set", RELEASE_KEY, release, "-s", stack]);
	if (set !== 0) {
		return set;
	}
	const updated = await runPulumi(["up", "--yes", "--skip-preview", "-s", stack]);
	if (updated !== 0) {
		console.error(
			`error: going back to release ${release} failed; Pulumi.${stack}.yaml keeps it, since that is what was asked for\n` +
				`  to go on, mend what is told above, then: npm run pulumi -- up -s ${stack}\n` +
				`  to stay with ${present}: npm run pulumi -- config set release ${present} -s ${stack}, then the same`,
		);
	}
	return updated;
}

const RELEASE_KEY = `${projectName}:release`;

function areKnown(args: string[]): boolean {
	return args.every(
		(arg, index) =>
			[DRY_RUN, "--yes", "-y", "-s", "--stack"].includes(arg) ||
			/^(--stack=|-s=?)./.test(arg) ||
			["-s", "--stack"].includes(args[index - 1] ?? ""),
	);
}

const historySchema = z.array(
	z.object({
		kind: z.string(),
		result: z.string(),
		endTime: z.string().default("an unknown day"),
		config: z.record(z.string(), z.object({ value: z.string().optional() })).nullish(),
	}),
);

/** Newest first. */
async function historyOf(stack: string): Promise<PastUpdate[]> {
	let text = "";
	// The CLI shows ten updates unless it is asked for all; the embedded engine always shows all.
	const all = chooseEngine().kind === "cli" ? ["--page-size", "0"] : [];
	const code = await runPulumi(["stack", "history", "--json", ...all, "-s", stack], {
		capture: (piece) => {
			text += piece;
		},
	});
	if (code !== 0) {
		throw new Error(`the history of ${stack} cannot be read`);
	}
	return historySchema
		.parse(JSON.parse(text))
		.map(({ config, ...update }) => ({ ...update, release: config?.[RELEASE_KEY]?.value }));
}

// `npm run rollback -- --stack dev`: sets the release that was live before the present one, and deploys it.
run(main);
