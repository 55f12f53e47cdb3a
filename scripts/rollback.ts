import { lastGoodRelease, namedRelease, updateOfBuild } from "../components/release/last-good";
import { runPulumi } from "./engine";
import { run } from "./run";
import { IMAGE_KEY, RELEASE_KEY, stackHistory } from "./stack-history";
import { stackOptions } from "./stack-options";

const USAGE = "usage: npm run rollback -- --stack <stack> [--release <version>] [--dry-run]";

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const { stack, named, dryRun } = options;
	const history = await stackHistory(stack);
	const { GITHUB_RUN_ID: build } = process.env;
	const done = build ? updateOfBuild(history, build) : undefined;
	if (done !== undefined) {
		console.log(
			`this run has put ${stack} back to release ${done.release} already, on ${done.endTime}: nothing is left to do`,
		);
		return 0;
	}
	const { from, release, image, deployedAt, goesOn } =
		named === undefined ? lastGoodRelease(history) : namedRelease(history, named);
	const goes = goesOn ? "goes on going back" : named === undefined ? "goes back" : "goes";
	const code = image === undefined ? "" : ` with image ${image}`;
	console.log(`${stack} ${goes} from release ${from} to ${release}, last deployed on ${deployedAt}${code}`);
	if (dryRun) {
		console.log("nothing was changed, as this was a dry run");
		return 0;
	}
	// The image is the release's code: under the name of the older one the newer would go on.
	for (const [key, value] of [
		[RELEASE_KEY, release],
		[IMAGE_KEY, image],
	]) {
		const set = value === undefined ? 0 : await runPulumi(["config", "set", key!, value, "-s", stack]);
		if (set !== 0) {
			return set;
		}
	}
	const updated = await runPulumi(["up", "--yes", "--skip-preview", "-s", stack]);
	if (updated !== 0) {
		console.error(
			`error: going back to release ${release} failed; Pulumi.${stack}.yaml keeps it, since that is what was asked for\n` +
				`  to go on, mend what is told above, then: npm run pulumi -- up -s ${stack}\n` +
				`  to stay with ${from}: npm run pulumi -- config set release ${from} -s ${stack}, then the same`,
		);
	}
	return updated;
}

interface Options {
	stack: string;
	/** The release to go to, where the operator names one. */
	named?: string;
	dryRun: boolean;
}

function readOptions(args: string[]): Options | undefined {
	const asked = stackOptions(args, {
		release: { type: "string" },
		"dry-run": { type: "boolean", default: false },
		// Nothing is asked anyhow.
		yes: { type: "boolean", short: "y" },
	});
	const { release: named, "dry-run": dryRun = false } = asked?.values ?? {};
	return asked && { stack: asked.stack, dryRun, ...(named !== undefined && { named }) };
}

// `npm run rollback -- --stack dev`: sets the release that was live before the present one, and deploys it.
run(main);
