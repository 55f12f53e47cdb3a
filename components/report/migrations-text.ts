import type { LintWarning } from "../migrations/lint";
import type { Migration } from "../migrations/migration";
import type { Settings } from "../settings/settings";
import { plain, section, table } from "./markdown";
import { migrationChanges } from "./migration-changes";
import { migrationSection, undoneSection } from "./migration-section";
import type { Base, Known } from "./report-inputs";

/** What would run, in order. */
export interface Running {
	applied: readonly Migration[];
	/** A version alone where there is no file of it. */
	undone: readonly (Migration | string)[];
}

/** Which migrations are new, changed or gone, and which would run. */
export function migrationsText(
	base: Known<Base>,
	all: readonly Migration[],
	{ applied, undone }: Running,
	strategy: Settings["strategy"],
): string {
	const where =
		strategy === "blue-green"
			? "on the new colour's own database, which serves nobody yet: only the live colour's changes wait there"
			: "on the database that serves";
	const against = fromBase(base, ({ migrations }) => {
		const { added, changed, removed } = migrationChanges(migrations, all);
		return table(
			["added", "changed (refused)", "removed (refused)"],
			[[named(added), named(changed), named(removed)]],
		);
	});
	return [
		against,
		...(undone.length === 0
			? []
			: [`Would be undone, ${where}, by what the catalog kept of it: ${named(undone)}.`]),
		...(applied.length > 0 ? [`Would run, ${where}: ${named(applied)}.`] : []),
		...(applied.length + undone.length === 0 ? ["None runs."] : []),
	].join("\n\n");
}

function named(migrations: readonly (Migration | string)[]): string {
	return (
		migrations.map((each) => (typeof each === "string" ? each : `${each.version} ${each.name}`)).join(", ") ||
		"none"
	);
}

/**
 * What would run, statement by statement.
 *
 * @param warnings squawk's; undefined where there is none for this machine
 */
export async function statementsText(
	{ applied, undone }: Running,
	warnings: readonly LintWarning[] | undefined,
): Promise<string[]> {
	if (applied.length + undone.length === 0) {
		return [];
	}
	const warningsOf = (migration: Migration) =>
		(warnings ?? []).filter(({ version }) => version === migration.version);
	const sections = await Promise.all([
		...undone.map((each) =>
			typeof each === "string"
				? `### ${each}, undone\n\nIts file is not here: only the catalog knows what would run.`
				: undoneSection(each, warningsOf(each)),
		),
		...applied.map((migration) => migrationSection(migration, warningsOf(migration))),
	]);
	const lint =
		warnings === undefined
			? ["squawk has no program for this machine, so that its warnings are not known."]
			: [];
	return [section("Statements", [...lint, ...sections].join("\n\n"))];
}

/** A migration that is in the base may have been applied anywhere; each stack that has applied it refuses the change. */
export function changedAfterwards(base: Known<Base>, all: readonly Migration[]): string[] {
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

/** What a base tells, or why there is none. */
export function fromBase(base: Known<Base>, text: (base: Base) => string): string {
	return "known" in base ? text(base.known) : `Not known: ${plain(base.unknown)}.`;
}
