import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);
const GIT_TIMEOUT_MS = 5000;

/** What a deployment is made of, and who started it. */
export interface Source {
	triggeredBy: string;
	commit?: string;
	branch?: string;
	/** Who wrote the commit. */
	author?: string;
	/** Files that are not as in the commit, from the repository's root; undefined where git cannot tell. */
	changed?: string[];
}

/** What a CI system tells of a build in its environment. */
interface BuildVariables {
	commit: string;
	branch: readonly string[];
	actor: string;
}

const CI_SYSTEMS: readonly BuildVariables[] = [
	// The branch of a pull request stands in the first; the second is then a number.
	{ commit: "GITHUB_SHA", branch: ["GITHUB_HEAD_REF", "GITHUB_REF_NAME"], actor: "GITHUB_ACTOR" },
	{ commit: "CI_COMMIT_SHA", branch: ["CI_COMMIT_REF_NAME"], actor: "GITLAB_USER_LOGIN" },
	{ commit: "BUILDKITE_COMMIT", branch: ["BUILDKITE_BRANCH"], actor: "BUILDKITE_BUILD_CREATOR" },
];

/**
 * Finds out what is deployed: from the CI system's environment, and for what that leaves out, from git. Outside a work
 * tree, or without git, what cannot be known is left out.
 *
 * @param directory a folder of the work tree
 */
export async function sourceOf(environment: NodeJS.ProcessEnv, directory: string): Promise<Source> {
	const value = (name: string) => environment[name] || undefined;
	const system = CI_SYSTEMS.find(({ commit }) => value(commit) !== undefined);
	const branches = system?.branch.map(value) ?? [];
	const [status, author] = await Promise.all([
		git(directory, "status", "--porcelain=v2", "--branch", "--untracked-files=normal"),
		git(directory, "log", "-1", "--format=%an"),
	]);
	const found = parseStatus(status);
	const commit = (system && value(system.commit)) ?? found.commit;
	const branch = branches.find((name) => name !== undefined) ?? found.branch;
	return {
		triggeredBy: (system && value(system.actor)) ?? userInfo().username,
		...(commit !== undefined && { commit }),
		...(branch !== undefined && { branch }),
		...(author !== undefined && author !== "" && commit === found.commit && { author }),
		...(found.changed !== undefined && { changed: found.changed }),
	};
}

function parseStatus(status: string | undefined): Pick<Source, "commit" | "branch" | "changed"> {
	if (status === undefined) {
		return {};
	}
	const lines = status.split("\n").filter((line) => line !== "");
	const header = (name: string) =>
		lines.find((line) => line.startsWith(`# ${name} `))?.slice(name.length + 3);
	const commit = header("branch.oid");
	const branch = header("branch.head");
	return {
		...(commit !== undefined && commit !== "(initial)" && { commit }),
		...(branch !== undefined && branch !== "(detached)" && { branch }),
		changed: lines.filter((line) => !line.startsWith("#")).map(pathOf),
	};
}

/** Ordinary entries have eight fields before the path, renamed ones nine and the old path after a tab, untracked ones one. */
function pathOf(line: string): string {
	const fields = line.startsWith("?") ? 1 : line.startsWith("2") ? 9 : line.startsWith("u") ? 10 : 8;
	return line.split(" ").slice(fields).join(" ").split("\t")[0]!;
}

async function git(directory: string, ...args: string[]): Promise<string | undefined> {
	try {
		const options = { cwd: directory, timeout: GIT_TIMEOUT_MS, encoding: "utf8" } as const;
		return (await run("git", args, options)).stdout.trim();
	} catch {
		return undefined;
	}
}
