import { chooseEngine, runPulumi } from "./engine";
import { githubTarget, writeIssue } from "./github";
import { run } from "./run";
import { stackOf } from "./stack-environment";

const USAGE = "usage: npm run drift -- --stack <stack> [--issue]";
const ISSUE = "--issue";

async function main(args: string[]): Promise<number> {
	const stack = stackOf(args, process.env);
	if (stack === undefined) {
		console.error(USAGE);
		return 2;
	}
	const target = args.includes(ISSUE) ? githubTarget(process.env) : undefined;
	let seen = "";
	// The embedded engine's own resources look at what is really there in every preview.
	const looking = chooseEngine().kind === "cli" ? ["--refresh", "--diff"] : [];
	const code = await runPulumi(["preview", ...looking, "--expect-no-changes", "-s", stack], {
		capture: (text) => {
			seen += text;
			process.stdout.write(text);
		},
	});
	if (code === 0) {
		console.log(`${stack} is as its stack file and its state say`);
		return 0;
	}
	if (target !== undefined) {
		const done = await writeIssue(
			target,
			`drift ${stack}`,
			`${stack} is not as its stack file says`,
			issueText(stack, seen),
		);
		console.log(`the issue about ${stack} was ${done}`);
	}
	return code;
}

const LONGEST = 60_000;

function issueText(stack: string, seen: string): string {
	const fence = "`".repeat(Math.max(3, ...[...seen.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
	return [
		`\`npm run drift -- --stack ${stack}\` found this. Either an update is waiting to be made, or somebody changed what is deployed.`,
		`To make it as the stack file says: \`npm run pulumi -- up --refresh -s ${stack}\`.`,
		"",
		fence,
		seen.slice(-LONGEST),
		fence,
	].join("\n");
}

// `npm run drift -- --stack staging`: whether what is deployed is what the stack file says; changes nothing.
run(main);
