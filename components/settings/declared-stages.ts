import { z } from "zod";
import { type ListedStage, reservedStageNames, STAGE_MOMENTS, stageSlug } from "../pipeline/stage-list";

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.()-]{0,59}$/u;
const LONGEST_SECONDS = 86_400;
const SHOWN_LENGTH = 80;

const allowed = {
	stages: "a list of stages, each with name, command and timeoutSeconds",
	stage: "a stage: name, command and timeoutSeconds, and where needed type and when",
	name: "a name of letters, digits, blanks, - _ . ( and ), at most 60",
	type: "test or validate",
	command: 'a program and its arguments as a list of texts, such as ["npm", "run", "smoke"]',
	timeoutSeconds: `a whole number from 1 to ${LONGEST_SECONDS} (seconds)`,
	when: `one of ${STAGE_MOMENTS.join(", ")}`,
};

const stageSchema = z.strictObject(
	{
		name: z.string(allowed.name).regex(NAME, allowed.name),
		type: z.enum(["test", "validate"], allowed.type).default("test"),
		command: z
			.array(z.string(allowed.command).min(1, allowed.command), allowed.command)
			.min(1, allowed.command),
		timeoutSeconds: z
			.int(allowed.timeoutSeconds)
			.min(1, allowed.timeoutSeconds)
			.max(LONGEST_SECONDS, allowed.timeoutSeconds),
		when: z.enum(STAGE_MOMENTS, allowed.when).default("after-health"),
	},
	allowed.stage,
);

const stagesSchema = z.array(stageSchema, allowed.stages);

/** Says where a mistake in a structured value is, such as `[0].name`. */
type StageProblem = (where: string, what: string) => void;

/**
 * Reads the declared stages of an environment.
 *
 * @param text JSON, as Pulumi hands a structured value to a program
 * @param report told every mistake
 * @returns undefined when there is any
 */
export function readDeclaredStages(text: string, report: StageProblem): ListedStage[] | undefined {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		report("", foundAndAllowed(text, allowed.stages));
		return undefined;
	}
	const parsed = stagesSchema.safeParse(value);
	if (!parsed.success) {
		for (const issue of parsed.error.issues) {
			reportIssue(issue, value, report);
		}
		return undefined;
	}
	const problems = clashes(parsed.data);
	for (const [where, what] of problems) {
		report(where, what);
	}
	return problems.length === 0 ? parsed.data : undefined;
}

function reportIssue(issue: z.core.$ZodIssue, value: unknown, report: StageProblem): void {
	const where = issue.path
		.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
		.join("");
	if (issue.code === "unrecognized_keys") {
		for (const key of issue.keys) {
			report(`${where}.${key}`, "unknown key; allowed: name, type, command, timeoutSeconds, when");
		}
		return;
	}
	const found = issue.path.reduce<unknown>(
		(inner, part) =>
			typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[part] : undefined,
		value,
	);
	report(where, foundAndAllowed(found, issue.message));
}

function foundAndAllowed(found: unknown, what: string): string {
	const shown = found === undefined ? "nothing" : JSON.stringify(found).slice(0, SHOWN_LENGTH);
	return `found ${shown}; allowed: ${what}`;
}

/** Names that mean two stages. */
function clashes(stages: readonly ListedStage[]): [where: string, what: string][] {
	const reserved = new Set(reservedStageNames.map(stageSlug));
	const seen = new Set<string>();
	return stages.flatMap(({ name }, index): [string, string][] => {
		const slug = stageSlug(name);
		const shown = JSON.stringify(name);
		if (reserved.has(slug)) {
			return [[`[${index}].name`, `found ${shown}, a stage of the deployment's own; allowed: another name`]];
		}
		if (seen.has(slug)) {
			return [[`[${index}].name`, `found ${shown} a second time; allowed: one stage of a name`]];
		}
		seen.add(slug);
		return [];
	});
}
