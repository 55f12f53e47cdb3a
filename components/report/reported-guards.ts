import {
	approvalFaultOf,
	type Guarded,
	type GuardSources,
	imageFaultOf,
	promotionOf,
	versionFaultOf,
} from "../guards/faults";
import type { Known, Unknown } from "./report-inputs";

/** What the guards say from where a report is made. */
export interface ReportedGuards {
	/** Why an update would be refused. */
	faults: string[];
	/** What is let through by exception. */
	exceptions: string[];
	/** Guards that do not know. In production an approval or a promotion that is not known is a fault besides. */
	unknown: Unknown[];
}

/**
 * Asks each guard by itself: one that cannot know says so, and the others are heard all the same. The work tree is left
 * to the update, which looks at its own.
 *
 * @param last what the stack's last finished update left; undefined before the first
 */
export async function reportedGuards(
	guarded: Pick<Guarded, "settings" | "migrations">,
	last: Known<Guarded["last"]>,
	sources: Pick<GuardSources, "completedBy">,
): Promise<ReportedGuards> {
	const { settings } = guarded;
	const own: Guarded = { ...guarded, ...("known" in last && last.known && { last: last.known }) };
	const version = "known" in last ? { fault: versionFaultOf(own) } : last;
	const approval = hadBefore(approvalFaultOf(own), last);
	const promotion = await promotionFrom(own, last, sources);
	const image: Answer = "known" in last || settings.serviceImage === undefined ? imageFaultOf(own) : last;
	const strict = settings.environment === "production";
	return {
		faults: [
			...faultOf(version),
			...faultOf(approval, strict ? "whether its migrations need an approval is not known" : undefined),
			...faultOf(
				promotion,
				strict
					? `whether release ${settings.release} has gone through stack ${settings.promoteFrom} is not known`
					: undefined,
			),
			...faultOf(image, strict ? "whether its image is another one is not known" : undefined),
		],
		exceptions: [...exceptionOf(promotion), ...exceptionOf(image)],
		unknown: [
			...unknownOf("program version", version),
			...unknownOf("approval", approval),
			...unknownOf("promotion", promotion),
			...unknownOf("image", image),
		],
	};
}

type Answer = { fault?: string | undefined; exception?: string | undefined } | { unknown: string };

/** A fault that falls away for what the stack has had: without its state that is not known. */
function hadBefore(fault: string | undefined, last: Known<unknown>): Answer {
	return fault !== undefined && "unknown" in last ? { unknown: `${last.unknown}; ${fault}` } : { fault };
}

async function promotionFrom(
	own: Guarded,
	last: Known<unknown>,
	sources: Pick<GuardSources, "completedBy">,
): Promise<Answer> {
	try {
		const { fault, exception } = await promotionOf(own, sources);
		return exception === undefined ? hadBefore(fault, last) : { exception };
	} catch (error) {
		return { unknown: error instanceof Error ? error.message : String(error) };
	}
}

function faultOf(answer: Answer, unknown?: string): string[] {
	if ("unknown" in answer) {
		return unknown === undefined ? [] : [`${unknown}: ${answer.unknown}`];
	}
	return answer.fault === undefined ? [] : [answer.fault];
}

function exceptionOf(answer: Answer): string[] {
	return "exception" in answer && answer.exception !== undefined ? [answer.exception] : [];
}

function unknownOf(what: string, answer: Answer): Unknown[] {
	return "unknown" in answer ? [{ what, why: answer.unknown }] : [];
}
