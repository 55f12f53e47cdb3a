import { type AppliedMigration, compareVersions, highestVersion, type Migration } from "./migration";
import { orderMigrations } from "./order";

/** What brings a database from what is applied to what is wanted. */
export interface Plan {
	/** In the order in which they will be applied, after the undoing. */
	apply: Migration[];
	/** Newest first. */
	undo: AppliedMigration[];
	/** Sentences that say why this must not run, and how to mend it. With any of them nothing runs. */
	problems: string[];
}

/** Compares the records of a database with the wanted files. */
export function planMigrations(
	applied: readonly AppliedMigration[],
	wanted: readonly Migration[],
	allowOutOfOrder: boolean,
): Plan {
	const files = new Map(wanted.map((migration) => [migration.version, migration]));
	const kept = new Map<string, AppliedMigration>();
	const undo: AppliedMigration[] = [];
	const problems: string[] = [];
	for (const record of applied) {
		const file = files.get(record.version);
		if (!file || record.state === "undoing") undo.push(record);
		else if (record.state === "running") {
			// A file that was mended after it stopped half-way cannot go on from there: its first half is another one.
			if (!sameFile(record, file)) undo.push(record);
		} else {
			kept.set(record.version, record);
			problems.push(...changes(record, file));
		}
	}
	undo.sort((a, b) => b.sequence - a.sequence);
	problems.push(...undoProblems(undo, [...kept.values()]));

	const { ordered, problems: orderProblems } = orderMigrations(wanted);
	const apply = ordered.filter((migration) => !kept.has(migration.version));
	for (const { migration, what, mend } of orderProblems) {
		if (!kept.has(migration.version)) problems.push(`migration ${titleOf(migration)}: ${what}; ${mend}`);
	}
	if (!allowOutOfOrder) problems.push(...outOfOrder(apply, [...kept.keys()]));
	return { apply, undo, problems };
}

/** `1.2.0 create_counting_results_table` */
export function titleOf(migration: { version: string; name: string }): string {
	return `${migration.version} ${migration.name}`;
}

/** Whether nothing at all of a migration has happened, so that undoing it is forgetting it. */
export function neverBegan(record: AppliedMigration): boolean {
	return record.state === "running" && record.statementsDone === 0 && !record.statementSent;
}

function sameFile(record: AppliedMigration, file: Migration): boolean {
	return record.checksum === file.checksum && record.name === file.name;
}

function changes(record: AppliedMigration, file: Migration): string[] {
	const when = `on ${record.appliedAt.toISOString()} by ${record.appliedBy}`;
	const mend = "put the file back as it was and write the change as a new migration";
	if (record.checksum !== file.checksum) {
		return [
			`migration ${titleOf(record)}: ${file.path} was changed after it was applied ${when}: ` +
				`applied with checksum ${record.checksum}, the file has ${file.checksum}; ${mend}`,
		];
	}
	if (record.name !== file.name) {
		return [
			`migration ${titleOf(record)}: ${file.path} was renamed after it was applied ${when}; ` +
				`give the file its name ${record.name} again`,
		];
	}
	return [];
}

function undoProblems(undo: AppliedMigration[], kept: AppliedMigration[]): string[] {
	const irreversible = undo
		.filter((record) => record.irreversible !== undefined && !neverBegan(record))
		.map(
			(record) =>
				`migration ${titleOf(record)} is applied and no longer wanted, but it cannot be undone ` +
				`(${record.irreversible}); go back to a release that has it`,
		);
	const undoneNames = new Set(undo.map((record) => record.name));
	const needed = kept.flatMap((record) =>
		record.dependsOn
			.filter((name) => undoneNames.has(name))
			.map(
				(name) =>
					`migration ${titleOf(record)} stays applied and depends on ${name}, which is no longer wanted; ` +
					`put the file of ${name} back, or take ${record.name} out as well`,
			),
	);
	return [...irreversible, ...needed];
}

function outOfOrder(apply: Migration[], keptVersions: string[]): string[] {
	const newest = highestVersion(keptVersions);
	if (newest === undefined) return [];
	return apply
		.filter((migration) => compareVersions(migration.version, newest) < 0)
		.map(
			(migration) =>
				`migration ${titleOf(migration)} is older than ${newest}, the newest applied one; ` +
				"give it a newer version, or set allowOutOfOrder",
		);
}
