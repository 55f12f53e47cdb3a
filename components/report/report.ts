import { lintSections } from "../migrations/lint";
import { compareVersions, type Migration } from "../migrations/migration";
import { wantedFor } from "../migrations/order";
import { runningIn } from "../migrations/seed-data";
import type { ReleaseFiles } from "../release/release-files";
import type { Settings } from "../settings/settings";
import { compatibility } from "./compatibility";
import { copyTime } from "./copy-time";
import { headed, headline } from "./headline";
import { code, list, plain, section, table } from "./markdown";
import { changedAfterwards, fromBase, migrationsText, statementsText } from "./migrations-text";
import { type ReportedPlan, reportedPlan } from "./plan";
import type { ReportInputs, Unknown } from "./report-inputs";
import { settingsChanges } from "./settings-changes";

export interface Report {
	/** Markdown. */
	text: string;
	/** Why the release would be refused; none when nothing is known against it. */
	refusals: string[];
}

/** The rules that an environment's settings are held to. */
export type PolicyOf = (settings: Settings) => { name: string; problem?: string }[];

/** What a release will do to a stack, as a comment of a pull request. */
export async function releaseReport(inputs: ReportInputs, policyOf: PolicyOf): Promise<Report> {
	const { stack, settings, migrations, base } = inputs;
	const mistakes = [
		...("mistakes" in settings ? settings.mistakes : []),
		...("mistakes" in migrations ? migrations.mistakes : []),
	];
	const whole =
		"read" in settings && "read" in migrations
			? await wholeReport(inputs, settings.read, migrations.read, policyOf)
			: {
					parts: [],
					details: [],
					refusals: [],
					unknown: [],
					headline: "nothing can be told of it before these are mended",
				};
	const refusals = [...mistakes, ...namedBaseRefusal(inputs), ...whole.refusals];
	const unknown = [
		...whole.unknown,
		...("unknown" in base ? [{ what: "changed and removed migrations", why: base.unknown }] : []),
	];
	const text = [
		`# Release report: ${code(stack)}`,
		...headed(whole.headline, refusals, unknown),
		...whole.parts,
		section(
			"Settings that change",
			fromBase(base, ({ file }) => settingsChanges(file ?? EMPTY, inputs.file)),
		),
		`Compared with ${"known" in base ? base.known.name : `nothing: ${plain(base.unknown)}`}.`,
		// Last: a comment may not have room for all of it.
		...whole.details,
	].join("\n\n");
	return { text: `${text}\n`, refusals };
}

function namedBaseRefusal({ base, isBaseNamed }: ReportInputs): string[] {
	return isBaseNamed && "unknown" in base
		? [
				`what this is to be compared with cannot be read, so that nobody sees which migrations were changed or removed: ${base.unknown}`,
			]
		: [];
}

const EMPTY = { values: {}, secrets: {} };

/** A report without mistakes. */
interface Whole {
	headline: string;
	parts: string[];
	/** What may be long. */
	details: string[];
	refusals: string[];
	unknown: Unknown[];
}

async function wholeReport(
	inputs: ReportInputs,
	settings: Settings,
	all: readonly Migration[],
	policyOf: PolicyOf,
): Promise<Whole> {
	const { last, base, databaseBytes, guards } = inputs;
	const files = filesOf(settings, all);
	const lastKnown = "known" in last ? last.known : undefined;
	const plan = reportedPlan(settings, files, lastKnown);
	const applied = appliedBy(plan, inputs, files.migrations);
	const undone = plan.undone.map((version) => all.find((each) => each.version === version) ?? version);
	const warnings = await lintSections([
		...applied.map(({ version, up }) => ({ version, direction: "up" as const, section: up })),
		...undone.flatMap((each) =>
			typeof each === "string" || each.down === undefined
				? []
				: [{ version: each.version, direction: "down" as const, section: each.down }],
		),
	]);
	const present = files.migrations.filter((migration) => !applied.includes(migration));
	const fits = await compatibility(
		settings,
		{ present, applied, undone: undone.filter((each) => typeof each !== "string") },
		warnings ?? [],
	);
	const policy = policyOf(settings);
	const refusals = [
		...plan.refusals,
		...guards.faults,
		...policy.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}; ${problem}`])),
		...fits.refusals,
		...changedAfterwards(base, all),
	];
	const parts = [
		section("Plan", planText(plan, last)),
		section("Migrations", migrationsText(base, all, { applied, undone }, settings.strategy)),
		section("Both releases, both schemas", fits.text),
		...(settings.strategy === "blue-green" ? [section("The copy", copyTime(databaseBytes))] : []),
		section("Rules", rulesText(policy, guards)),
	];
	return {
		headline: await headline(settings, lastKnown, { applied, undone }, fits.breaking),
		parts,
		details: await statementsText({ applied, undone }, warnings),
		refusals: [...new Set(refusals)],
		unknown: [
			...("unknown" in last ? [{ what: "what is deployed", why: last.unknown }] : []),
			...guards.unknown,
		],
	};
}

function filesOf(
	{ release, environment }: Settings,
	all: readonly Migration[],
): Pick<ReleaseFiles, "migrations" | "reversible" | "requiredSchema"> {
	const migrations = runningIn(environment, wantedFor(release, [...all]));
	const versions = migrations.map(({ version }) => version).sort(compareVersions);
	return {
		migrations,
		reversible: all.filter(({ down }) => down !== undefined).map(({ version }) => version),
		requiredSchema: versions.at(-1) ?? "none",
	};
}

/** What would run: by the plan where it is known what is live, else by what the base does not have. */
function appliedBy(
	plan: ReportedPlan,
	{ last, base }: ReportInputs,
	wanted: readonly Migration[],
): Migration[] {
	if ("known" in last) {
		return wanted.filter(({ version }) => plan.applied.includes(version));
	}
	const before = new Set("known" in base ? base.known.migrations.map(({ version }) => version) : []);
	return wanted.filter(({ version }) => !before.has(version));
}

function planText(plan: ReportedPlan, last: ReportInputs["last"]): string {
	return [
		...("unknown" in last
			? [`What is deployed is not known: ${plain(last.unknown)}. The plan is that of an empty stack.`]
			: []),
		...(plan.summary.length > 0 ? [list(plan.summary)] : []),
		...(plan.colors.length > 0
			? [
					table(
						["colour", "now", "after"],
						plan.colors.map(({ color, before, after }) => [color, before, after]),
					),
				]
			: []),
		...(plan.reachable.length > 0 ? [`Releases that can be reached: ${plan.reachable.join(", ")}.`] : []),
	].join("\n\n");
}

function rulesText(policy: ReturnType<PolicyOf>, guards: ReportInputs["guards"]): string {
	return [
		table(
			["rule", "kept"],
			policy.map(({ name, problem }) => [
				plain(name),
				problem === undefined ? "yes" : `**no**: ${plain(problem)}`,
			]),
		),
		guardsText(guards),
		"Not judged here: the policy pack's rules about resources, which `npm run pulumi -- preview --policy-pack policy` judges, and what only an update sees (work tree, locks, free disk).",
	].join("\n\n");
}

function guardsText({ faults, exceptions, unknown }: ReportInputs["guards"]): string {
	const passed = unknown.length === 0 ? "The guards let it through." : "The other guards let it through.";
	return [
		...unknown.map(({ what, why }) => `What the guard ${what} says is not known: ${plain(why)}.`),
		...(faults.length > 0 ? [list(faults)] : [passed]),
		...exceptions.map((each) => `By exception: ${plain(each)}.`),
	].join("\n\n");
}
