import { lastGoodRelease } from "../components/release/last-good";
import { runPulumi } from "./engine";
import { run } from "./run";
import { stackOf } from "./stack-environment";
import { RELEASE_KEY, stackHistory } from "./stack-history";

const USAGE = "usage: npm run rollback -- --stack <stack> [--dry-run]";
const DRY_RUN = "--dry-run";

async function main(args: string[]): Promise<number> {
	const stack = stackOf(args, process.env);
	if (stack === undefined || !areKnown(args)) {
		console.error(USAGE);
		return 2;
	}
	const { present, release, deployedAt } = lastGoodRelease(await stackHistory(stack));
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

function areKnown(args: string[]): boolean {
	return args.every(
		(arg, index) =>
			[DRY_RUN, "--yes", "-y", "-s", "--stack"].includes(arg) ||
			/^(--stack=|-s=?)./.test(arg) ||
			["-s", "--stack"].includes(args[index - 1] ?? ""),
	);
}

// `npm run rollback -- --stack dev`: sets the release that was live before the present one, and deploys it.
run(main);
