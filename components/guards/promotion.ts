import { compareVersions } from "../migrations/migration";

export interface Promotion {
	/** The release that this update is to deploy. */
	release: string;
	/** The release that the stack has; undefined before the first. */
	present?: string;
	/** What the stack itself has completed. */
	own: readonly string[];
	/** The stack that a release has to have gone through, and what that has completed; undefined when it was never deployed. */
	from: { stack: string; completed: readonly string[] | undefined };
	/** The one release that may go without. */
	releaseWithoutStaging?: string;
}

/**
 * What stands against deploying a release: that the stack before this one has not completed it. To keep a release, or to
 * go back to one that this stack has had, asks nothing of the other.
 *
 * @returns the sentence to refuse the update with; undefined when nothing stands against it
 */
export function promotionFault(promotion: Promotion): string | undefined {
	const { release, from, releaseWithoutStaging } = promotion;
	if (isKnownHere(promotion) || from.completed?.includes(release) || releaseWithoutStaging === release) {
		return undefined;
	}
	const found =
		from.completed === undefined
			? "was never deployed"
			: `has completed ${[...from.completed].sort(compareVersions).join(", ") || "no release"}`;
	const stale =
		releaseWithoutStaging === undefined
			? ""
			: ` (now it names ${releaseWithoutStaging}, which is another release)`;
	return (
		`release ${release} has not gone through stack ${from.stack}, which ${found}: deploy it there first, or set ` +
		`releaseWithoutStaging to ${release}${stale}, which is written down with the deployment`
	);
}

/** Whether the stack has the release, or has had it. */
export function isKnownHere({ release, present, own }: Omit<Promotion, "from">): boolean {
	return release === present || own.includes(release);
}

/** How many releases a stack remembers to have completed. */
const REMEMBERED = 50;

/** What a stack has completed once this update is through: the newest last, each once. */
export function completedWith(before: readonly string[], release: string): string[] {
	return [...before.filter((earlier) => earlier !== release), release].slice(-REMEMBERED);
}
