import { z } from "zod";
import { pairingsOf } from "../replication/pairings";
import { type CheckResult, type CheckStatus, describeCheck, overallStatus } from "./check-result";
import { type Examination, runChecks } from "./run-checks";
import { subjectSchema } from "./subject";

/** A release as the stack's state has it: with the database and the service to examine. */
export const deployedReleaseSchema = z.object({
	release: z.string(),
	url: z.string(),
	subject: subjectSchema,
});

export type DeployedRelease = z.infer<typeof deployedReleaseSchema>;

/** What an environment has, as its last finished update left it. */
export interface DeployedEnvironment {
	/** The public address. */
	url: string;
	/** The colour that has the traffic, where there are two. */
	live?: string;
	/** By colour, the generation that the stack holds. */
	generations: Partial<Record<string, number>>;
	/** Every release that the state knows, also those of an update that failed. */
	releases: readonly DeployedRelease[];
}

/** The health of one release of an environment. */
export interface ReleaseHealth {
	release: string;
	color?: string;
	/** Whether it has the traffic. */
	live: boolean;
	/** Where it was asked. */
	url: string;
	status: CheckStatus;
	checks: CheckResult[];
}

/** For how long statements are watched, in milliseconds. */
const OBSERVE_MS = 1000;

/**
 * Examines the live release where its clients meet it, and the idle one at its own address. Changes nothing.
 *
 * @throws Error when there is nothing to examine
 */
export async function environmentHealth(environment: DeployedEnvironment): Promise<ReleaseHealth[]> {
	const { live, generations, releases } = environment;
	const held = releases.filter(
		({ subject: { color } }) => color === undefined || generations[color.color] === color.generation,
	);
	if (held.length === 0) {
		throw new Error("no release is deployed: run npm run pulumi -- up first");
	}
	const found = await Promise.all(
		held.map((release) => {
			const { color } = release.subject;
			return examine(release, color === undefined || color.color === live, environment.url);
		}),
	);
	return found.sort((left, right) => Number(right.live) - Number(left.live));
}

async function examine(
	{ release, url: own, subject }: DeployedRelease,
	live: boolean,
	publicUrl: string,
): Promise<ReleaseHealth> {
	const { color } = subject;
	const url = live ? publicUrl : own;
	const examination: Examination = {
		subject,
		release,
		url,
		observeMs: OBSERVE_MS,
		...(color && { links: () => pairingsOf(color.servers, color) }),
	};
	const checks = await runChecks(examination);
	return { release, ...(color && { color: color.color }), live, url, status: overallStatus(checks), checks };
}

/** For people: a line for each release and one for each of its checks. */
export function healthText(found: readonly ReleaseHealth[]): string {
	return found
		.map(({ release, color, live, url, status, checks }) => {
			const title = [color, `release ${release}`, color && (live ? "live" : "idle"), url].filter(Boolean);
			return [`${status} ${title.join(", ")}`, ...checks.map((check) => `  ${describeCheck(check)}`)].join(
				"\n",
			);
		})
		.join("\n");
}
