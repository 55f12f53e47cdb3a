import { type LintWarning, lintSections } from "../migrations/lint";
import { compareVersions, type Migration } from "../migrations/migration";
import { wantedFor } from "../migrations/order";
import { runningIn } from "../migrations/seed-data";
import type { ReleaseFiles } from "../release/release-files";
import type { Settings } from "../settings/settings";
import { compatibility } from "./compatibility";
import { copyTime } from "./copy-time";
import { list, table } from "./markdown";
import { migrationChanges } from "./migration-changes";
import { migrationSection, strongestLock } from "./migration-section";
import { type ReportedPlan, reportedPlan } from "./plan";
import type { Base, Known, ReportInputs } from "./report-inputs";
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
			: { parts: [], refusals: [], headline: "nothing can be told of it before these are mended" };
	const refusals = [...mistakes, ...whole.refusals];
	const text = [
		`# Release report: \`${stack}\``,
		refusals.length === 0
			? `${whole.headline}. Nothing is known that stands against it.`
			: `**This would be refused**: ${whole.headline}.\n\n${list(refusals)}`,
		...whole.parts,
		section(
			"Settings that change",
			fromBase(base, ({ file }) => settingsChanges(file ?? EMPTY, inputs.file)),
		),
		`Compared with ${"known" in base ? base.known.name : `nothing: ${base.unknown}`}.`,
	].join("\n\n");
	return { text: `${text}\n`, refusals };
}

const EMPTY = { values: {}, secrets: {} };

async function wholeReport(
	inputs: ReportInputs,
	settings: Settings,
	all: readonly Migration[],
	policyOf: PolicyOf,
): Promise<{ headline: string; parts: string[]; refusals: string[] }> {
	const { last, base, databaseBytes, guards } = inputs;
	const files = filesOf(settings, all);
	const lastKnown = "known" in last ? last.known : undefined;
	const plan = reportedPlan(settings, files, lastKnown);
	const applied = appliedBy(plan, inputs, files.migrations);
	const warnings = await lintSections(
		applied.map(({ version, up }) => ({ version, direction: "up" as const, section: up })),
	);
	const present = files.migrations.filter((migration) => !applied.includes(migration));
	const fits = await compatibility(settings, present, applied, warnings ?? []);
	const policy = policyOf(settings);
	const refusals = [
		...plan.refusals,
		...("known" in guards ? guards.known.faults : []),
		...policy.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}; ${problem}`])),
		...fits.refusals,
		...changedAfterwards(base, all),
	];
	const parts = [
		section("Plan", planText(plan, last)),
		section("Migrations", await migrationsText(base, all, applied, warnings, settings.strategy)),
		section("Both releases, both schemas", fits.text),
		...(settings.strategy === "blue-green" ? [section("The copy", copyTime(databaseBytes))] : []),
		section("Rules", rulesText(policy, guards)),
	];
	return {
		headline: await headline(settings, lastKnown, applied),
		parts,
		refusals: [...new Set(refusals)],
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

async function headline(
	{ release, strategy }: Settings,
	last: { release: string } | undefined,
	applied: readonly Migration[],
): Promise<string> {
	const locks = await Promise.all(applied.map(strongestLock));
	const strongest = locks.filter((mode) => mode !== undefined);
	const from = last === undefined ? `release \`${release}\`` : `release \`${last.release}\` → \`${release}\``;
	const what =
		applied.length === 0
			? "no migration"
			: `${applied.length} ${applied.length === 1 ? "migration" : "migrations"}${strongest.length === 0 ? ", no lock on what is there" : ""}`;
	return `${from}, ${strategy}, ${what}`;
}

function planText(plan: ReportedPlan, last: ReportInputs["last"]): string {
	return [
		...("unknown" in last
			? [`What is deployed is not known: ${last.unknown}. The plan is that of an empty stack.`]
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
	applied: readonly Migration[],
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
		applied.length === 0 ? "None runs." : `${applied.length} would run, ${where}:`,
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
			policy.map(({ name, problem }) => [name, problem === undefined ? "yes" : `**no**: ${problem}`]),
		),
		"unknown" in guards
			? `What the guards say is not known: ${guards.unknown}.`
			: guards.known.faults.length === 0
				? `The guards let it through.${guards.known.exceptions.map((each) => ` By exception: ${each}.`).join("")}`
				: list(guards.known.faults),
		"Not judged here: the policy pack's rules about resources, which `npm run pulumi -- preview --policy-pack policy` judges, and what only an update sees (work tree, locks, free disk).",
	].join("\n\n");
}

function fromBase(base: Known<Base>, text: (base: Base) => string): string {
	return "known" in base ? text(base.known) : `Not known: ${base.unknown}.`;
}

function section(title: string, text: string): string {
	return `## ${title}\n\n${text}`;
}
