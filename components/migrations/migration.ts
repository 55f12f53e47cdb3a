export const MIGRATION_TYPES = ["schema", "data", "index", "function"] as const;
export type MigrationType = (typeof MIGRATION_TYPES)[number];

/** The environments that seed data may be written into: production never is one. */
export const SEEDED_ENVIRONMENTS = ["development", "staging"] as const;
export type SeededEnvironment = (typeof SEEDED_ENVIRONMENTS)[number];

/** One direction of a migration file. */
export interface Section {
	sql: string;
	/** False: the statements run one by one, outside a transaction. */
	transaction: boolean;
	/** The 1-based line of the file on which `sql` begins. */
	line: number;
}

/** One migration file, parsed. */
export interface Migration {
	/** `major.minor.patch` without leading zeros. */
	version: string;
	name: string;
	type: MigrationType;
	/** Names of the migrations that must be applied before this one. */
	dependsOn: string[];
	/** Tables and columns, such as `cameras.zone`, that the release before it no longer writes, so that it may drop them. */
	unwritten?: string[];
	/** The only environments that it runs in, for seed data; undefined runs in all. */
	environments?: SeededEnvironment[];
	up: Section;
	/** Undefined exactly when `irreversible` says why. */
	down?: Section;
	irreversible?: string;
	/** SHA-256 of the file's bytes, in hex. */
	checksum: string;
	/** As shown in messages: relative to the working directory where the file is below it. */
	path: string;
}

/**
 * What a target database knows of one migration.
 * - `applied`: all of it is there.
 * - `running`: a `transaction:false` migration stopped between its statements.
 * - `undoing`: a `transaction:false` down section stopped between its statements.
 */
export type RecordState = "applied" | "running" | "undoing";

/** The record of a migration in the target database, which is the truth about what is applied there. */
export interface AppliedMigration {
	version: string;
	name: string;
	type: MigrationType;
	checksum: string;
	dependsOn: string[];
	state: RecordState;
	/** Grows with each application: the order in which to undo is the reverse. */
	sequence: number;
	/** How many statements of the section under way (`running`, `undoing`) are done for certain. */
	statementsDone: number;
	/** Whether the statement after those was sent when the record was last written. */
	statementSent: boolean;
	/** Why it cannot be undone; undefined when it can. */
	irreversible?: string;
	appliedAt: Date;
	appliedBy: string;
	durationMs: number;
	/** The deployment (catalog) that applied it. */
	deploymentId: number;
}

/** Numeric order: 1.10.0 comes after 1.9.0. */
export function compareVersions(a: string, b: string): number {
	return versionKey(a) < versionKey(b) ? -1 : versionKey(a) > versionKey(b) ? 1 : 0;
}

/** A text per version whose plain order is the numeric order of versions; for sorting many of them. */
export function versionKey(version: string): string {
	return version
		.split(".")
		.map((number) => number.padStart(MAX_DIGITS, "0"))
		.join(".");
}

const MAX_DIGITS = 6;

/** The highest of these versions, or undefined of none. */
export function highestVersion(versions: Iterable<string>): string | undefined {
	let highest: string | undefined;
	for (const version of versions) {
		if (highest === undefined || compareVersions(version, highest) > 0) highest = version;
	}
	return highest;
}
