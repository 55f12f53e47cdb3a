import { chooseEngine, runPulumi } from "./engine";
import { closeIssue, type GitHubTarget, githubTarget, writeIssue } from "./github";
import { run } from "./run";
import { stackOptions } from "./stack-options";

const USAGE = "usage: npm run drift -- --stack <stack> [--issue]";
/** How both engines end where `--expect-no-changes` found some. */
const CHANGES_FOUND = 7;

async function main(args: string[]): Promise<number> {
	const options = readOptions(args);
	if (options === undefined) {
		console.error(USAGE);
		return 2;
	}
	const { stack } = options;
	const target = options.issue ? githubTarget(process.env) : undefined;
	let seen = "";
	const show = (stream: NodeJS.WriteStream) => (text: string) => {
		seen += text;
		stream.write(text);
	};
	// The embedded engine's own resources look at what is really there in every preview.
	const looking = chooseEngine().kind === "cli" ? ["--refresh", "--diff"] : [];
	const code = await runPulumi(["preview", ...looking, "--expect-no-changes", "-s", stack], {
		capture: show(process.stdout),
		captureErrors: show(process.stderr),
	});
	if (code === 0) {
		console.log(`${stack} is as its stack file and its state say`);
	}
	if (target !== undefined) {
		console.log(`the issue about ${stack} ${await tellOnGitHub(target, stack, code, seen)}`);
	}
	return code;
}

function readOptions(args: string[]): { stack: string; issue: boolean } | undefined {
	const asked = stackOptions(args, { issue: { type: "boolean", default: false } });
	return asked && { stack: asked.stack, issue: asked.values.issue };
}

/** One issue for each stack, whatever it is about. Returns what was done with it. */
async function tellOnGitHub(
	target: GitHubTarget,
	stack: string,
	code: number,
	seen: string,
): Promise<string> {
	const name = `drift ${stack}`;
	if (code === 0) {
		return (await closeIssue(target, name, `${stack} is as its stack file and its state say.`))
			? "was closed"
			: "is not needed";
	}
	const [title, advice] =
		code === CHANGES_FOUND
			? [
					`${stack} is not as its stack file says`,
					"found this. Either an update is waiting to be made, or somebody changed what is deployed.\n" +
						`To make it as the stack file says: \`npm run pulumi -- up --refresh -s ${stack}\`.`,
				]
			: [
					`${stack} could not be looked at`,
					`failed with ${code}, so that nobody knows whether it is as its stack file says.`,
				];
	const body = [`\`npm run drift -- --stack ${stack}\` ${advice}`, "", ...fenced(seen.slice(-LONGEST))];
	return `was ${await writeIssue(target, name, title, body.join("\n"))}`;
}

const LONGEST = 60_000;

function fenced(text: string): string[] {
	const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
	return [fence, text, fence];
}

// `npm run drift -- --stack staging`: whether what is deployed is what the stack file says; changes nothing.
run(main);
