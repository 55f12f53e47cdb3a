import { destructionsOf } from "./destruction";
import { type LintedSection, type LintWarning, lintSections } from "./lint";
import type { Migration, MigrationType, Section } from "./migration";
import type { MigrationStatus } from "./options";
import { neverBegan, titleOf } from "./plan";
import { statementsOf, verifyMigrations } from "./statements";

/** One migration of a plan, with the section that will run. */
interface PlannedStep extends LintedSection {
	migration: { version: string; name: string; type: MigrationType; dependsOn: string[] };
	/** The file, where there is one. */
	path?: string;
}

/**
 * The text of a plan for the preview: each migration that would be undone or applied, its SQL, whether it runs in a
 * transaction, which rows are saved first, and squawk's warnings. Empty when there is nothing to do.
 *
 * @throws MigrationFilesError when the SQL of a migration that would be applied is wrong.
 */
export async function describePlan({
	plan,
	stored,
}: Pick<MigrationStatus, "plan" | "stored">): Promise<string> {
	await verifyMigrations(plan.apply);
	const undone = plan.undo.flatMap((record): PlannedStep[] => {
		const section = stored.get(record.version)?.down;
		return section && !neverBegan(record)
			? [{ version: record.version, direction: "down", section, migration: record }]
			: [];
	});
	const steps = [...undone, ...plan.apply.map(appliedStep)];
	if (steps.length === 0 && plan.problems.length === 0) return "";
	const warnings = steps.length === 0 ? [] : await lintSections(steps);
	const parts: string[] = plan.problems.map((problem) => `refused: ${problem}`);
	for (const step of steps) parts.push(await describeStep(step, warnings ?? []));
	if (warnings === undefined)
		parts.push("lock hazards are not known: squawk has no program for this platform");
	return parts.join("\n");
}

function appliedStep(migration: Migration): PlannedStep {
	return {
		version: migration.version,
		direction: "up",
		section: migration.up,
		migration,
		path: migration.path,
	};
}

async function describeStep(step: PlannedStep, warnings: LintWarning[]): Promise<string> {
	const { migration, direction, section, path } = step;
	const facts = [
		migration.type,
		section.transaction ? "in a transaction" : "statement by statement, outside a transaction",
		...(migration.dependsOn.length > 0 ? [`after ${migration.dependsOn.join(", ")}`] : []),
	];
	const tables = direction === "down" ? await savedTables(section) : [];
	return [
		`${direction === "up" ? "apply" : "undo"} ${titleOf(migration)} (${facts.join("; ")})`,
		...(tables.length > 0 ? [`  saves first what it destroys of ${tables.join(", ")}`] : []),
		...section.sql
			.trim()
			.split("\n")
			.map((line) => `    ${line}`),
		...warnings
			.filter((warning) => warning.version === step.version && warning.direction === direction)
			.map((warning) => `  warning: ${path ?? "stored SQL"}:${warning.line}: ${warningText(warning)}`),
	].join("\n");
}

function warningText({ rule, message, help }: LintWarning): string {
	return `${message}${help === undefined ? "" : ` ${help}`} (${rule})`;
}

async function savedTables(section: Section): Promise<string[]> {
	const destructions = (await statementsOf(section)).flatMap(({ node }) => destructionsOf(node));
	const names = destructions.flatMap((destruction) => {
		if (destruction.what === "unknown") return [];
		return [destruction.what === "schema" ? `schema ${destruction.schema}` : destruction.table];
	});
	return [...new Set(names.map((name) => name.replace(/"([a-z_][a-z0-9_]*)"/g, "$1")))];
}
