import { z } from "zod";

/** Where a text goes on GitHub, and as whom. */
export interface GitHubTarget {
	/** `owner/name`. */
	repository: string;
	/** That the workflow has; never told. */
	token: string;
	/** GitHub's API. */
	apiUrl: string;
}

const environmentSchema = z.object({
	GITHUB_REPOSITORY: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "owner/name, as a workflow has it"),
	GITHUB_TOKEN: z.string().min(1, "the token of the workflow"),
	GITHUB_API_URL: z.url().default("https://api.github.com"),
});

/** @throws Error naming each variable that is missing */
export function githubTarget(environment: NodeJS.ProcessEnv): GitHubTarget {
	const parsed = environmentSchema.safeParse(environment);
	if (!parsed.success) {
		const problems = parsed.error.issues.map(
			({ path, message }) => `  ${path.join(".")}: set it to ${message}`,
		);
		throw new Error(`the environment does not say where on GitHub to write:\n${problems.join("\n")}`);
	}
	const { GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token, GITHUB_API_URL: apiUrl } = parsed.data;
	return { repository, token, apiUrl };
}

const DEADLINE_MS = 30_000;
const PAGE = 100;
const bodySchema = z.object({ id: z.number(), number: z.number().optional(), body: z.string().nullish() });

/** The line by which a text is found again that one of our workflows has written. */
export function marker(name: string): string {
	return `<!-- camera-counting ${name} -->`;
}

/** Writes a comment on a pull request, or over the one that was written there before by that name. */
export async function writeComment(
	target: GitHubTarget,
	pullRequest: number,
	name: string,
	text: string,
): Promise<"written" | "edited"> {
	const body = `${marker(name)}\n${text}`;
	const before = await findWritten(target, `/issues/${pullRequest}/comments`, name);
	if (before === undefined) {
		await ask(target, "POST", `/issues/${pullRequest}/comments`, { body });
		return "written";
	}
	await ask(target, "PATCH", `/issues/comments/${before.id}`, { body });
	return "edited";
}

/** Opens an issue, or writes over the open one of that name. */
export async function writeIssue(
	target: GitHubTarget,
	name: string,
	title: string,
	text: string,
): Promise<"written" | "edited"> {
	const body = `${marker(name)}\n${text}`;
	const before = await findWritten(target, "/issues?state=open", name);
	if (before?.number === undefined) {
		await ask(target, "POST", "/issues", { title, body });
		return "written";
	}
	await ask(target, "PATCH", `/issues/${before.number}`, { title, body });
	return "edited";
}

/** Closes the open issue of that name, with the reason as a comment. Returns whether there was one. */
export async function closeIssue(target: GitHubTarget, name: string, reason: string): Promise<boolean> {
	const open = await findWritten(target, "/issues?state=open", name);
	if (open?.number === undefined) {
		return false;
	}
	await ask(target, "POST", `/issues/${open.number}/comments`, { body: reason });
	await ask(target, "PATCH", `/issues/${open.number}`, { state: "closed" });
	return true;
}

async function findWritten(target: GitHubTarget, path: string, name: string) {
	for (let page = 1; ; page++) {
		const separator = path.includes("?") ? "&" : "?";
		const reply = await ask(target, "GET", `${path}${separator}per_page=${PAGE}&page=${page}`);
		const texts = z.array(bodySchema).parse(reply);
		const found = texts.find(({ body }) => body?.startsWith(marker(name)));
		if (found !== undefined || texts.length < PAGE) {
			return found;
		}
	}
}

async function ask(
	{ repository, token, apiUrl }: GitHubTarget,
	method: string,
	path: string,
	body?: object,
): Promise<unknown> {
	const reply = await fetch(`${apiUrl}/repos/${repository}${path}`, {
		method,
		headers: {
			authorization: `Bearer ${token}`,
			accept: "application/vnd.github+json",
			"x-github-api-version": "2022-11-28",
			...(body !== undefined && { "content-type": "application/json" }),
		},
		...(body !== undefined && { body: JSON.stringify(body) }),
		signal: AbortSignal.timeout(DEADLINE_MS),
	});
	if (!reply.ok) {
		const { message } = z
			.object({ message: z.string() })
			.catch({ message: "no reason" })
			.parse(await reply.json().catch(() => ({})));
		throw new Error(`GitHub answered ${reply.status} to ${method} ${path}: ${message}`);
	}
	return reply.json();
}
