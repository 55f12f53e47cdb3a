import { readFileSync } from "node:fs";
import { shortenedMarkdown } from "../components/report/shortened";
import { githubTarget, writeComment } from "./github";
import { run } from "./run";

const USAGE =
	"usage: npm run comment -- <pull request> --as <name> <file> …, with GITHUB_REPOSITORY and GITHUB_TOKEN set";
/** The most that GitHub takes, less the marker. */
const LONGEST = 65_000;

async function main([pullRequest = "", as = "", name = "", ...files]: string[]): Promise<number> {
	if (!/^[1-9]\d*$/.test(pullRequest) || as !== "--as" || !/^[\w.-]+$/.test(name) || files.length === 0) {
		console.error(USAGE);
		return 2;
	}
	const text = files.map((file) => readFileSync(file, "utf8")).join("\n\n");
	const shown = shortenedMarkdown(text, LONGEST, "*The rest does not fit here: the workflow's log has it.*");
	const done = await writeComment(githubTarget(process.env), Number(pullRequest), name, shown);
	console.log(`the comment on pull request ${pullRequest} was ${done}`);
	return 0;
}

// `npm run comment -- 12 --as report-staging report.md`: a comment on a pull request, which the next run writes over.
run(main);
