import type { Migration } from "../migrations/migration";
import { imageOf } from "../platform/image";
import type { Settings } from "../settings/settings";
import { approvalFault } from "./approved-migrations";
import { programVersion, programVersionFault } from "./program-version";
import { isKnownHere, promotionFault } from "./promotion";
import { judgeImage } from "./release-image";
import { type WorkTree, workTreeFault } from "./work-tree";

/** What the guards know of a stack from its last finished update. */
export interface Guarded {
	settings: Settings;
	migrations: readonly Migration[];
	/** Undefined before the first update. */
	last?: {
		release: string;
		/** Releases that the stack has completed. */
		completed: readonly string[];
		/** Of the program that deployed it. */
		programVersion?: string;
		/** Versions of the migrations that are applied to what is live. */
		migrations: readonly string[];
		/** What each release runs that the stack has a colour of, where services are containers, by release. */
		images?: Readonly<Record<string, string>>;
	};
}

/** What the guards ask others, when they have to. */
export interface GuardSources {
	workTree(): Promise<WorkTree>;
	/** What another stack of this project has completed; undefined when it was never deployed. */
	completedBy(stack: string): Promise<string[] | undefined>;
}

export interface GuardFaults {
	/** Why an update is refused. */
	faults: string[];
	/** Why an update from this work tree is refused, as it stands now. */
	workTree?: string;
	/** What is let through by exception. */
	exceptions: string[];
}

/** Everything that the guards have against an update of a stack. */
export async function guardFaults(guarded: Guarded, sources: GuardSources): Promise<GuardFaults> {
	const isProduction = guarded.settings.environment === "production";
	const workTree = isProduction ? workTreeFault(await sources.workTree()) : undefined;
	const promotion = await promotionOf(guarded, sources);
	const image = imageFaultOf(guarded);
	const faults = [versionFaultOf(guarded), approvalFaultOf(guarded), promotion.fault, image.fault];
	return {
		faults: faults.filter((fault) => fault !== undefined),
		...(workTree !== undefined && { workTree }),
		exceptions: [promotion.exception, image.exception].filter((exception) => exception !== undefined),
	};
}

/** What stands against the image of the release, or what is to be told of it. */
export function imageFaultOf({ settings, last }: Guarded): { fault?: string; exception?: string } {
	const { release, environment, releaseWithoutStaging } = settings;
	return judgeImage({
		release,
		image: imageOf(settings),
		present: last?.release,
		held: last?.images ?? {},
		strict: environment === "production",
		...(releaseWithoutStaging !== undefined && { releaseWithoutStaging }),
	});
}

/** What stands against an update by this version of the program. */
export function versionFaultOf({ last }: Guarded): string | undefined {
	return programVersionFault(programVersion(), last?.programVersion);
}

/** What stands against the migrations of an update: in production, that they are not approved. */
export function approvalFaultOf({ settings, migrations, last }: Guarded): string | undefined {
	return settings.environment === "production"
		? approvalFault(migrations, last?.migrations ?? [], settings.approvedMigrations)
		: undefined;
}

/**
 * What stands against a release that another stack has to have completed, or by which exception it goes without.
 *
 * @throws what `completedBy` throws, which is asked only when something depends on its answer
 */
export async function promotionOf(
	{ settings, last }: Guarded,
	{ completedBy }: Pick<GuardSources, "completedBy">,
): Promise<{ fault?: string; exception?: string }> {
	const { release, environment, promoteFrom: stack, releaseWithoutStaging } = settings;
	const promotion = {
		release,
		...(last && { present: last.release }),
		own: last?.completed ?? [],
		...(releaseWithoutStaging !== undefined && { releaseWithoutStaging }),
	};
	// The other stack is asked only when something depends on its answer: it may be out of reach.
	if (isKnownHere(promotion)) {
		return {};
	}
	if (stack === "none") {
		return environment === "production"
			? {
					exception: `release ${release} goes to production without any stack before it: promoteFrom is none`,
				}
			: {};
	}
	if (releaseWithoutStaging === release) {
		return { exception: `release ${release} goes without stack ${stack}: releaseWithoutStaging says so` };
	}
	const fault = promotionFault({ ...promotion, from: { stack, completed: await completedBy(stack) } });
	return fault === undefined ? {} : { fault };
}
