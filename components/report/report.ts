import { type LintWarning, lintSections } from "../migrations/lint";
import { compareVersions, type Migration } from "../migrations/migration";
import { wantedFor } from "../migrations/order";
import { runningIn } from "../migrations/seed-data";
import type { ReleaseFiles } from "../release/release-files";
import type { Settings } from "../settings/settings";
import { compatibility } from "./compatibility";
import { copyTime } from "./copy-time";
import { code, list, plain, table } from "./markdown";
import { migrationChanges } from "./migration-changes";
import { locksTaken, migrationSection, undoneSection } from "./migration-section";
import { type ReportedPlan, reportedPlan } from "./plan";
import type { Base, Known, ReportInputs, Unknown } from "./report-inputs";
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

/** What somebody reads who reads nothing else. */
function headed(headline: string, refusals: readonly string[], unknown: readonly Unknown[]): string[] {
	const reasons = new Map<string, string[]>();
	for (const { what, why } of unknown) reasons.set(why, [...(reasons.get(why) ?? []), what]);
	const missing = [...reasons].map(([why, what]) => `${what.join(", ")} (${plain(why)})`).join("; ");
	if (refusals.length > 0) {
		return [
			`**This would be refused**: ${headline}.`,
			list(refusals),
			...(missing === "" ? [] : [`Not known: ${missing}.`]),
		];
	}
	return [
		missing === ""
			? `${headline}. Nothing is known that stands against it.`
			: `${headline}. Nothing that is known stands against it. **Not known**: ${missing}.`,
	];
}

const EMPTY = { values: {}, secrets: {} };

async function wholeReport(
	inputs: ReportInputs,
	settings: Settings,
	all: readonly Migration[],
	policyOf: PolicyOf,
): Promise<{ headline: string; parts: string[]; refusals: string[]; unknown: Unknown[] }> {
	const { last, base, databaseBytes, guards } = inputs;
	const files = filesOf(settings, all);
	const lastKnown = "known" in last ? last.known : undefined;
	const plan = reportedPlan(settings, files, lastKnown);
	const applied = appliedBy(plan, inputs, files.migrations);
	const undone = plan.undone.map((version) => all.find((each) => each.version === version) ?? version);
	const warnings = await lintSections(
		applied.map(({ version, up }) => ({ version, direction: "up" as const, section: up })),
	);
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
		section("Migrations", await migrationsText(base, all, { applied, undone }, warnings, settings.strategy)),
		section("Both releases, both schemas", fits.text),
		...(settings.strategy === "blue-green" ? [section("The copy", copyTime(databaseBytes))] : []),
		section("Rules", rulesText(policy, guards)),
	];
	return {
		headline: await headline(settings, lastKnown, { applied, undone }, fits.breaking),
		parts,
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

/** A migration that is in the base may have been applied anywhere; each stack that has applied it refuses the change. */
function changedAfterwards(base: Known<Base>, all: readonly Migration[]): string[] {
	if ("unknown" in base) {
		return [];
	}
	const { changed, removed } = migrationChanges(base.known.migrations, all);
	return [
		...changed.map(
			({ version, name }) =>
				`migration ${version} ${name} was changed: what has been applied stays as it is; put the file back, and add a migration`,
		),
		...removed.map(
			({ version, name }) =>
				`migration ${version} ${name} was removed: stacks that have it could neither be released to nor be put back; put the file back`,
		),
	];
}

/** What would run, in order. */
interface Running {
	applied: readonly Migration[];
	/** A version alone where there is no file of it. */
	undone: readonly (Migration | string)[];
}

async function headline(
	{ release, strategy }: Settings,
	last: { release: string } | undefined,
	{ applied, undone }: Running,
	breaking: number,
): Promise<string> {
	const from = last === undefined ? `release \`${release}\`` : `release \`${last.release}\` → \`${release}\``;
	const counted = [
		...(applied.length > 0 ? [count(applied.length)] : []),
		...(undone.length > 0 ? [`${count(undone.length)} undone`] : []),
	];
	const what =
		counted.length === 0 ? ["no migration"] : [...counted, ...(await locksText({ applied, undone }))];
	const broken =
		breaking === 0 || last === undefined
			? []
			: [
					`**${breaking === 1 ? "1 statement breaks" : `${breaking} statements break`} what release ${last.release} uses until the new one is ready**`,
				];
	return [from, strategy, ...what, ...broken].join(", ");
}

async function locksText({ applied, undone }: Running): Promise<string[]> {
	const downs = undone.map((each) => (typeof each === "string" ? undefined : each.down));
	const known = downs.filter((down) => down !== undefined);
	const locks = await locksTaken([...applied.map(({ up }) => up), ...known]);
	if (locks === "partly unknown" || known.length < downs.length) {
		return ["not all of whose locks are known"];
	}
	return locks === "none" ? ["no lock on what is there"] : [];
}

function count(migrations: number): string {
	return `${migrations} ${migrations === 1 ? "migration" : "migrations"}`;
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

async function migrationsText(
	base: Known<Base>,
	all: readonly Migration[],
	{ applied, undone }: Running,
	warnings: readonly LintWarning[] | undefined,
	strategy: Settings["strategy"],
): Promise<string> {
	const where =
		strategy === "blue-green"
			? "on the new colour's own database, which serves nobody yet: only the live colour's changes wait there"
			: "on the database that serves";
	const named = (migrations: readonly Migration[]) =>
		migrations.map(({ version, name }) => `${version} ${name}`).join(", ") || "none";
	const against = fromBase(base, ({ migrations }) => {
		const { added, changed, removed } = migrationChanges(migrations, all);
		return table(
			["added", "changed (refused)", "removed (refused)"],
			[[named(added), named(changed), named(removed)]],
		);
	});
	const sections = await Promise.all(
		applied.map((migration) =>
			migrationSection(
				migration,
				(warnings ?? []).filter(({ version }) => version === migration.version),
			),
		),
	);
	return [
		against,
		...(undone.length === 0
			? []
			: [`${undone.length} would be undone, ${where}, by what the catalog kept of it:`]),
		...(await Promise.all(
			undone.map((each) =>
				typeof each === "string"
					? `### ${each}, undone\n\nIts file is not here: only the catalog knows what would run.`
					: undoneSection(each),
			),
		)),
		...(applied.length > 0
			? [`${applied.length} would run, ${where}:`]
			: undone.length > 0
				? []
				: ["None runs."]),
		...(warnings === undefined
			? ["squawk has no program for this machine, so that its warnings are not known."]
			: []),
		...sections,
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

function fromBase(base: Known<Base>, text: (base: Base) => string): string {
	return "known" in base ? text(base.known) : `Not known: ${plain(base.unknown)}.`;
}

function section(title: string, text: string): string {
	return `## ${title}\n\n${text}`;
}
