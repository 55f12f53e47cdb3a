import type { Migration } from "../migrations/migration";
import type { LastUpdate } from "../release/last-update";
import type { Settings } from "../settings/settings";
import type { ReportedGuards } from "./reported-guards";
import type { StackFile } from "./stack-file";

/** What is known, or why it is not. */
export type Known<T> = { known: T } | { unknown: string };

/** What nobody could tell, and why. */
export interface Unknown {
	what: string;
	why: string;
}

/** A stack's files as they were at a commit. */
export interface Base {
	/** As it was asked for, with the commit. */
	name: string;
	/** Undefined where the stack had no file then. */
	file: StackFile | undefined;
	migrations: Migration[];
}

/** All that a report is made of; it asks nobody. */
export interface ReportInputs {
	stack: string;
	file: StackFile;
	/** The stack file checked and completed, or each mistake in it. */
	settings: { read: Settings } | { mistakes: readonly string[] };
	/** All migration files, or each mistake in them. */
	migrations: { read: Migration[] } | { mistakes: readonly string[] };
	base: Known<Base>;
	/** Whether somebody named the base: then a report without it is refused. */
	isBaseNamed: boolean;
	/** What the last finished update left; undefined before the first. */
	last: Known<LastUpdate | undefined>;
	/** Bytes of the live database, with its indexes. */
	databaseBytes: Known<number>;
	/** Not asked while the settings or the migrations have mistakes. */
	guards: ReportedGuards;
}
