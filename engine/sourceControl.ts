/** What the history says of the commit that an update was made from, and of the build that made it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const TIMEOUT_MS = 5000;

export interface SourceControl {
	/** The subject of the commit: what an update is called that is given no message. */
	subject?: string;
	/** Under the names that the CLI gives them. */
	environment: { [name: string]: string };
}

/** Asks git. Empty outside of a work tree, before the first commit, and where there is no git. */
export async function sourceControlOf(directory: string): Promise<SourceControl> {
	const git = async (...args: string[]) =>
		(await run("git", args, { cwd: directory, timeout: TIMEOUT_MS })).stdout.trimEnd();
	try {
		const [commit, headName, changes] = await Promise.all([
			git("log", "-1", "--format=%H%n%an%n%ae%n%cn%n%ce%n%s"),
			git("rev-parse", "--symbolic-full-name", "HEAD"),
			git("status", "--porcelain"),
		]);
		const [head = "", author = "", authorEmail = "", committer = "", committerEmail = "", subject = ""] =
			commit.split("\n");
		return {
			subject,
			environment: {
				"git.head": head,
				"git.headName": headName,
				"git.dirty": String(changes !== ""),
				"git.author": author,
				"git.author.email": authorEmail,
				"git.committer": committer,
				"git.committer.email": committerEmail,
			},
		};
	} catch {
		return { environment: {} };
	}
}

/** The run of GitHub Actions that an update is made by, under the names that the CLI gives it; empty elsewhere. */
export function buildOf({ GITHUB_ACTIONS, GITHUB_RUN_ID }: NodeJS.ProcessEnv): { [name: string]: string } {
	return GITHUB_ACTIONS && GITHUB_RUN_ID
		? { "ci.system": "GitHub Actions", "ci.build.id": GITHUB_RUN_ID }
		: {};
}
